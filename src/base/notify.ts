import { type Libc, loadLibc } from "./libc.ts";
import { SOCK_CLOEXEC, SOCK_DGRAM, MSG_DONTWAIT, MSG_NOSIGNAL } from "./socket-address.ts";

/** Whoever started this process as a service and wants to know how it fares: systemd (sd_notify(3)). */
export interface ServiceManager {
  /** The doors are open; also after `reloading`. */
  ready(): void;
  reloading(): void;
  stopping(): void;
  /** From now on another process is the service. */
  replacedBy(pid: number): void;
  /** How often it wants to hear that nothing hangs, milliseconds; undefined: it does not. */
  readonly watchdogMs: number | undefined;
  alive(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `undefined` where nobody wants to know, or where the C library cannot be called. */
export function findServiceManager(environment: Environment): ServiceManager | undefined {
  const path = environment["NOTIFY_SOCKET"];
  if (path === undefined || !/^[/@]/.test(path)) return undefined;
  const loaded = loadLibc();
  if (loaded.kind === "unavailable") return undefined;
  const address = unixAddress(path);
  const tell = (...lines: readonly string[]): void => sendTo(loaded.libc, address, lines.join("\n"));
  return {
    ready: () => tell("READY=1"),
    reloading: () => tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => tell("STOPPING=1"),
    replacedBy: (pid) => tell(`MAINPID=${pid}`),
    watchdogMs: watchdogMs(environment),
    alive: () => tell("WATCHDOG=1"),
  };
}

/** WATCHDOG_PID, where there is one, says whom it is meant for (sd_watchdog_enabled(3)). */
function watchdogMs(environment: Environment): number | undefined {
  const microseconds = Number(environment["WATCHDOG_USEC"]);
  const pid = environment["WATCHDOG_PID"];
  if (!(microseconds > 0) || (pid !== undefined && pid !== String(process.pid))) return undefined;
  return microseconds / 1000;
}

/** `struct sockaddr_un` of Linux; a name that begins with `@` is abstract (unix(7)). */
function unixAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  const isAbstract = path.startsWith("@");
  if (isAbstract) name[0] = 0;
  const address = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  address[0] = AF_UNIX;
  address.set(name, 2);
  return address;
}

/** One that does not listen is none of our concern. */
function sendTo(libc: Libc, address: Uint8Array, message: string): void {
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const octets = new TextEncoder().encode(message);
  if (libc.connect(fd, address, address.length) === 0)
    libc.send(fd, octets, octets.length, MSG_NOSIGNAL | MSG_DONTWAIT);
  libc.close(fd);
}

const AF_UNIX = 1;
