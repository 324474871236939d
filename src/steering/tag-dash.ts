import { SaxesParser } from "saxes";
import { addressAt, type TaggedPathway, type Tagging, Unfit } from "./tag.ts";

/**
 * An MPD with the elements of content steering (ETSI TS 103 998): a BaseURL for every pathway, in place of those it
 * had, and ContentSteering. One that changes gets a Location at the redirector, in place of those it had: players
 * follow the redirect of an MPD for good, and where that edge dies some have no other place to ask for the next one.
 * All else stays as written.
 * @throws Unfit
 */
export function taggedMpd(mpd: string, tagging: Tagging): string {
  const { baseUrls, locations, isDynamic, insertAt } = outlineOf(mpd);
  const moved = isDynamic && tagging.location !== undefined ? locations : [];
  const references = baseUrls.length === 0 ? ["."] : [...new Set(baseUrls.map(({ text }) => text.trim()))];
  const lines = [
    ...tagging.pathways.flatMap((pathway) =>
      references.map((reference) => baseUrl(pathway, folderAt(pathway, reference, tagging))),
    ),
    ...(isDynamic && tagging.location !== undefined ? [location(tagging.location)] : []),
    contentSteering(tagging),
  ];
  const indent = /\n([ \t]*)$/.exec(mpd.slice(0, insertAt))?.[1] ?? "";
  return withoutPieces(
    mpd,
    [...baseUrls, ...moved].sort(byStart),
    insertAt,
    lines.map((line) => `${line}\n${indent}`).join(""),
  );
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Outline {
  /** Children of the MPD element. */
  readonly baseUrls: readonly Piece[];
  readonly locations: readonly Piece[];
  /** Whether players ask for it again. */
  readonly isDynamic: boolean;
  /** In front of the first child that must come after BaseURL (ISO/IEC 23009-1 5.3.1.3). */
  readonly insertAt: number;
}

function outlineOf(mpd: string): Outline {
  const parser = new SaxesParser({ xmlns: true });
  const baseUrls: Piece[] = [];
  const locations: Piece[] = [];
  let isDynamic = false;
  const path: string[] = [];
  let insertAt: number | undefined;
  let start = 0;
  let text = "";
  parser.on("error", (error) => {
    throw new Unfit(`it is no XML: ${error.message}`);
  });
  parser.on("opentagstart", ({ name }) => {
    const at = mpd.lastIndexOf("<", parser.position - 1);
    if (path.length === 0 && name !== "MPD") throw new Unfit("it is no MPD: its first element is another");
    if (path.length === 1 && (name === "BaseURL" || name === "Location")) [start, text] = [at, ""];
    if (path.length === 1 && name !== "BaseURL" && name !== "ProgramInformation") insertAt ??= at;
    path.push(name);
  });
  parser.on("opentag", ({ local, attributes }) => {
    if (path.length === 1) isDynamic = attributes["type"]?.value === "dynamic";
    if (local === "ContentSteering")
      throw new Unfit("it has ContentSteering already; give the MPD without it");
  });
  parser.on("text", (piece) => {
    text += piece;
    if (path.length > 2 && path.at(-1) === "BaseURL" && /^\s*(?:https?:)?\/\//i.test(piece))
      throw new Unfit(`a BaseURL inside a ${path.at(-2)} is absolute; write it relative to the MPD's own`);
  });
  parser.on("closetag", ({ name }) => {
    path.pop();
    if (path.length !== 1) return;
    const piece = { start, end: parser.position, text };
    if (name === "BaseURL") baseUrls.push(piece);
    if (name === "Location") locations.push(piece);
  });
  parser.write(mpd).close();
  if (insertAt === undefined) throw new Unfit("it has no Period");
  return { baseUrls, locations, isDynamic, insertAt };
}

/** What addresses in the MPD are relative to. */
function folderAt(pathway: TaggedPathway, reference: string, tagging: Tagging): string {
  return addressAt(pathway, reference === "" ? "." : reference, tagging).replace(/[^/]*$/, "");
}

function baseUrl({ id }: TaggedPathway, url: string): string {
  return `<BaseURL serviceLocation="${escaped(id)}">${escaped(url)}</BaseURL>`;
}

function location(url: string): string {
  return `<Location>${escaped(url)}</Location>`;
}

function contentSteering({ serverUri, pathways }: Tagging): string {
  const [first] = pathways as [TaggedPathway];
  return `<ContentSteering defaultServiceLocation="${escaped(first.id)}" queryBeforeStart="true">${escaped(serverUri)}</ContentSteering>`;
}

/** With the pieces cut out, each with the white space in front of it, and a text put in. */
function withoutPieces(mpd: string, pieces: readonly Piece[], insertAt: number, inserted: string): string {
  let text = mpd.slice(0, insertAt) + inserted + mpd.slice(insertAt);
  for (const { start, end } of pieces.toReversed()) {
    const shift = start >= insertAt ? inserted.length : 0;
    const before = text.slice(0, start + shift).replace(/\s*$/, "");
    text = before + text.slice(end + shift);
  }
  return text;
}

function byStart(a: Piece, b: Piece): number {
  return a.start - b.start;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
