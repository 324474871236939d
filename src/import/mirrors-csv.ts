import { type CsvRow, csvRows } from "../base/csv.ts";
import { type Draft, type DraftEdge, notesOn, type Original, type Refused, refused } from "./draft.ts";
import { createIds, type Ids, isHostAddress, isPlainText, readHost } from "./host.ts";

/** What a column may be called, in small letters and without `_`, `-` and spaces. */
const COLUMNS = {
  id: ["id", "identifier", "name", "mirror"],
  url: ["url", "http", "https", "httpurl", "baseurl"],
  latitude: ["latitude", "lat"],
  longitude: ["longitude", "lon", "lng", "long"],
  addresses: ["addresses", "address", "ip", "ips", "ipv4", "ipv6"],
  weight: ["weight", "score"],
  enabled: ["enabled", "active"],
  viewers: ["viewers", "maxviewers", "connections"],
  bandwidth: ["bandwidth", "mbps", "bandwidthmbps"],
  tags: ["tags", "tag", "continent", "continentcode"],
} as const;

type Column = keyof typeof COLUMNS;

/** A list of mirrors as mirrorbits and its like keep it: the first row names the columns, whatever their order. */
export function importMirrorsCsv(original: Original): Draft | Refused {
  const text = original.text.replace(/^\uFEFF/, "");
  const [header, ...rows] = csvRows(text, separatorOf(text)).filter(({ fields }) =>
    fields.some((field) => field.trim() !== ""),
  );
  if (header === undefined) return refused(original, "it is empty");
  const columns = header.fields.map(columnFor);
  if (!columns.includes("url") && !columns.includes("addresses"))
    return refused(
      original,
      "no column url or address; the first row must name the columns, as name,url,latitude,longitude",
      header.line,
    );
  const { notes, note } = notesOn(original);
  header.fields.forEach((name, i) => {
    if (columns[i] === undefined && name.trim() !== "")
      note(`column ${name.trim()} is not carried over`, header.line);
  });
  const idOf = createIds();
  const edges = rows.flatMap((row) => edgeOf(row, columns, idOf, note) ?? []);
  if (edges.length === 0) return refused(original, "no row has a usable url or address");
  const isWeighed = columns.includes("weight");
  if (isWeighed)
    note(
      "weight counts among equals: with rank nearest it decides between edges of one place only",
      header.line,
    );
  return { edges, services: [{ id: "mirrors", rank: "nearest" }], notes };
}

function separatorOf(text: string): "," | ";" | "\t" {
  const [first = ""] = text.split("\n");
  const count = (separator: string): number => first.split(separator).length;
  if (count("\t") > Math.max(count(","), count(";"))) return "\t";
  return count(";") > count(",") ? ";" : ",";
}

function columnFor(name: string): Column | undefined {
  const plain = name
    .trim()
    .toLowerCase()
    .replaceAll(/[_\- ]/g, "");
  return (Object.keys(COLUMNS) as Column[]).find((column) =>
    (COLUMNS[column] as readonly string[]).includes(plain),
  );
}

/** Less says nothing of an edge's capacity, more is not taken here. Bandwidth is in Mbit/s. */
const LEAST: Partial<Record<Column, number>> = { viewers: 1, bandwidth: 0.001 };
const MOST: Partial<Record<Column, number>> = { viewers: 1e9, bandwidth: 1e9, weight: 1e6 };

type Take = (message: string, line?: number) => void;

function edgeOf(
  { fields, line }: CsvRow,
  columns: readonly (Column | undefined)[],
  idOf: Ids,
  note: Take,
): DraftEdge | undefined {
  const values = (column: Column): string[] =>
    fields.flatMap((field, i) => (columns[i] === column && field.trim() !== "" ? [field.trim()] : []));
  const number = (column: Column): number | undefined => {
    const [text] = values(column);
    if (text === undefined) return undefined;
    const value = Number(text.replace(",", "."));
    const shown = `${column}: ${text.slice(0, 40)}`;
    const isTooLittle = value < (LEAST[column] ?? Number.NEGATIVE_INFINITY);
    const isTooMuch = value > (MOST[column] ?? Number.POSITIVE_INFINITY);
    if (Number.isFinite(value) && !isTooLittle && !isTooMuch) return value;
    note(
      `${shown} is ${Number.isFinite(value) ? `too ${isTooLittle ? "little" : "much"}` : "no number"}`,
      line,
    );
    return undefined;
  };
  const addresses = values("addresses")
    .flatMap((text) => text.split(/[\s;|]+/))
    .filter((text) => {
      const isUsable = isHostAddress(text);
      if (!isUsable && text !== "") note(`${text.slice(0, 40)} is no address of a host; left out`, line);
      return isUsable;
    });
  const [writtenUrl] = values("url");
  const url = urlIn(writtenUrl);
  if (url === undefined && addresses.length === 0) {
    note("no usable url or address; left out", line);
    return undefined;
  }
  if (url === undefined && writtenUrl !== undefined) note("no usable url; left out", line);
  const host = url === undefined ? undefined : readHost(new URL(url).hostname);
  if (addresses.length === 0 && host?.address !== undefined) addresses.push(host.address);
  const name = values("id")[0] ?? host?.text ?? addresses[0] ?? "edge";
  const id = idOf(name, (taken) =>
    note(`${name.slice(0, 40)}: another edge has its id; it is ${taken} here`, line),
  );
  const [latitude, longitude] = [number("latitude"), number("longitude")];
  const words = [...new Set(values("tags").flatMap((text) => text.split(/[\s;|]+/)))];
  const tags = words.filter((tag) => tag !== "" && isPlainText(tag));
  if (words.some((tag) => !isPlainText(tag))) note("a tag that cannot be one here; left out", line);
  const capacity = capacityOf(number("viewers"), number("bandwidth"));
  const weight = number("weight");
  return {
    id,
    ...(latitude === undefined || longitude === undefined ? {} : { location: { latitude, longitude } }),
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(url === undefined ? {} : { url }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(weight === undefined ? {} : { weight: Math.max(weight, 0) }),
    ...(values("enabled").some((text) => /^(?:false|no|0|off)$/i.test(text)) ? { state: "off" } : {}),
    ...(url === undefined ? {} : { probe: { type: "http", path: "/" } }),
  };
}

/** mirrorbits takes urls without a scheme as http. */
function urlIn(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const whole = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  // A scheme of its own, as ftp: or rsync:, is none that viewers can be redirected to.
  if (whole !== text && /^[a-z][a-z\d+.-]*:\/\//i.test(text)) return undefined;
  if (!URL.canParse(whole)) return undefined;
  const { origin, pathname, hostname } = new URL(whole);
  return readHost(hostname) === undefined ? undefined : origin + pathname.replace(/\/+$/, "");
}

function capacityOf(viewers: number | undefined, mbps: number | undefined): DraftEdge["capacity"] {
  if (viewers === undefined && mbps === undefined) return undefined;
  return {
    ...(viewers === undefined ? {} : { viewers: Math.round(viewers) }),
    ...(mbps === undefined ? {} : { bandwidth: `${mbps}Mbps` }),
  };
}
