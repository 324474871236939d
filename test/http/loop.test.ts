import { openDoorsInLoops } from "./fixture.ts";

// What holds for the door alone holds with a loop of epoll in front.
openDoorsInLoops();
await import("./door.test.ts");
await import("./hostile.test.ts");
await import("./fuzz.test.ts");
await import("./https-redirect.test.ts");
