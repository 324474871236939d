import { addressAt, type TaggedPathway, type Tagging, Unfit } from "./tag.ts";

/**
 * A multivariant playlist with the tags of content steering (draft-pantos-hls-rfc8216bis 4.4.6.6): each variant and
 * each rendition with an address of its own once for every pathway, in their order, under one stable id.
 * @throws Unfit
 */
export function taggedPlaylist(playlist: string, tagging: Tagging): string {
  const entries = entriesOf(playlist);
  checkFit(entries);
  const split = splitGroups(entries);
  const stableIds = createStableIds();
  const first = entries.findIndex(({ kind }) => kind !== "other");
  const lines = entries.flatMap((entry, i) => {
    const written = writtenFor(entry, split, stableIds, tagging);
    return i === first ? [steeringTag(tagging), ...written] : written;
  });
  return `${lines.join("\n")}\n`;
}

type Entry =
  | { readonly kind: "variant"; readonly tag: Tag; readonly uri: string }
  /** EXT-X-MEDIA and EXT-X-I-FRAME-STREAM-INF */
  | { readonly kind: "media" | "i-frames"; readonly tag: Tag }
  | { readonly kind: "other"; readonly line: string };

interface Tag {
  readonly name: string;
  /** Values as written, quotes included. */
  readonly attributes: ReadonlyMap<string, string>;
}

const VARIANT = "EXT-X-STREAM-INF";
const MEDIA = "EXT-X-MEDIA";
const I_FRAMES = "EXT-X-I-FRAME-STREAM-INF";

function entriesOf(playlist: string): Entry[] {
  const lines = playlist.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  if (lines[0] !== "#EXTM3U") throw new Unfit("it does not start with #EXTM3U, as a playlist does");
  const entries: Entry[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const tag = tagIn(line);
    if (tag?.name === VARIANT) {
      do i++;
      while (isPassedOver(lines[i]));
      const uri = lines[i];
      if (uri === undefined || uri.startsWith("#"))
        throw new Unfit(`line ${i + 1}: an address is missing after ${VARIANT}`);
      entries.push({ kind: "variant", tag, uri });
    } else if (tag?.name === MEDIA) entries.push({ kind: "media", tag });
    else if (tag?.name === I_FRAMES) entries.push({ kind: "i-frames", tag });
    else entries.push({ kind: "other", line });
  }
  return entries;
}

/** Between a tag and its address: blank lines and comments mean nothing (RFC 8216 4.1). */
function isPassedOver(line: string | undefined): boolean {
  return line !== undefined && (line.trim() === "" || /^#(?!EXT)/.test(line));
}

function tagIn(line: string): Tag | undefined {
  const [, name = "", list = ""] = /^#(EXT-X-[A-Z-]+):(.*)$/.exec(line) ?? [];
  if (name === "") return undefined;
  const pairs = [...list.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^",]*)/g)];
  return { name, attributes: new Map(pairs.map(([, key = "", value = ""]) => [key, value])) };
}

function checkFit(entries: readonly Entry[]): void {
  if (!entries.some(({ kind }) => kind === "variant"))
    throw new Unfit("it names no variant (EXT-X-STREAM-INF): only a multivariant playlist can be steered");
  for (const entry of entries) {
    const isSteered =
      entry.kind === "other"
        ? entry.line.startsWith("#EXT-X-CONTENT-STEERING")
        : entry.tag.attributes.has("PATHWAY-ID");
    if (isSteered) throw new Unfit("it has tags of content steering already; give the playlist without them");
  }
}

/** `TYPE` and `GROUP-ID` of the groups that have addresses: a pathway needs its own. */
function splitGroups(entries: readonly Entry[]): ReadonlySet<string> {
  const groups = new Set<string>();
  for (const entry of entries)
    if (entry.kind === "media" && entry.tag.attributes.has("URI")) groups.add(groupOf(entry.tag));
  return groups;
}

function groupOf({ attributes }: Tag): string {
  return `${attributes.get("TYPE")} ${attributes.get("GROUP-ID")}`;
}

function steeringTag({ serverUri, pathways }: Tagging): string {
  return `#EXT-X-CONTENT-STEERING:SERVER-URI="${serverUri}",PATHWAY-ID="${(pathways[0] as TaggedPathway).id}"`;
}

function writtenFor(
  entry: Entry,
  split: ReadonlySet<string>,
  stableIds: (key: string, tag: Tag, uri: string) => string,
  tagging: Tagging,
): string[] {
  if (entry.kind === "other") return [entry.line];
  const { tag } = entry;
  const { pathways } = tagging;
  switch (entry.kind) {
    case "variant": {
      const stable = stableIds("STABLE-VARIANT-ID", tag, entry.uri);
      return pathways.flatMap((pathway) => [
        tagText(tag, {
          ...groupsAt(pathway, tag, split, tagging),
          "PATHWAY-ID": pathway.id,
          "STABLE-VARIANT-ID": stable,
        }),
        addressAt(pathway, entry.uri, tagging),
      ]);
    }
    case "i-frames": {
      const uri = unquoted(tag.attributes.get("URI"));
      const stable = stableIds("STABLE-VARIANT-ID", tag, uri);
      return pathways.map((pathway) =>
        tagText(tag, {
          ...groupsAt(pathway, tag, split, tagging),
          URI: addressAt(pathway, uri, tagging),
          "PATHWAY-ID": pathway.id,
          "STABLE-VARIANT-ID": stable,
        }),
      );
    }
    case "media": {
      if (!split.has(groupOf(tag))) return [tagText(tag, {})];
      const uri = unquoted(tag.attributes.get("URI"));
      const stable = uri === "" ? {} : { "STABLE-RENDITION-ID": stableIds("STABLE-RENDITION-ID", tag, uri) };
      return pathways.map((pathway) =>
        tagText(tag, {
          "GROUP-ID": groupAt(pathway, unquoted(tag.attributes.get("GROUP-ID")), tagging),
          ...(uri === "" ? {} : { URI: addressAt(pathway, uri, tagging) }),
          ...stable,
        }),
      );
    }
  }
}

/** The groups that a variant refers to, by the names that they have at the pathway. */
function groupsAt(pathway: TaggedPathway, { attributes }: Tag, split: ReadonlySet<string>, tagging: Tagging) {
  const groups: Record<string, string> = {};
  for (const type of ["AUDIO", "VIDEO", "SUBTITLES"]) {
    const group = unquoted(attributes.get(type));
    if (split.has(`${type} "${group}"`)) groups[type] = groupAt(pathway, group, tagging);
  }
  return groups;
}

/** The first pathway keeps the names as they are. */
function groupAt(pathway: TaggedPathway, group: string, { pathways }: Tagging): string {
  return pathway === pathways[0] ? group : `${group}-${pathway.id}`;
}

/** Ids that stay the same when the playlist is made again: given ones, or made from the address. */
function createStableIds(): (key: string, tag: Tag, uri: string) => string {
  const taken = new Set<string>();
  return (key, { attributes }, uri) => {
    const given = unquoted(attributes.get(key));
    if (given !== "") return given;
    const plain = uri.replace(/[?#].*$/, "").replace(/[^\w+/=.-]/g, "_");
    let id = plain;
    for (let n = 2; taken.has(`${key} ${id}`); n++) id = `${plain}-${n}`;
    taken.add(`${key} ${id}`);
    return id;
  };
}

/** With these attributes, all of them quoted strings, in place or at the end. */
function tagText({ name, attributes }: Tag, changed: { readonly [key: string]: string }): string {
  const all = new Map(attributes);
  for (const [key, value] of Object.entries(changed)) all.set(key, `"${value}"`);
  return `#${name}:${[...all].map(([key, value]) => `${key}=${value}`).join(",")}`;
}

function unquoted(value = ""): string {
  return value.replace(/^"(.*)"$/, "$1");
}
