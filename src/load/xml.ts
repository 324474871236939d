import { SaxesParser } from "saxes";
import { looksLike } from "./document.ts";
import { type Unreadable, unreadable } from "./source.ts";

/** One element, with the elements inside it in order. */
export interface Element {
  readonly name: string;
  readonly attributes: { readonly [name: string]: string };
  /** Its own text, without that of the elements inside. */
  readonly text: string;
  readonly children: readonly Element[];
}

type Growing = { -readonly [K in keyof Element]: K extends "children" ? Growing[] : Element[K] };

export type ParsedXml = { readonly kind: "element"; readonly root: Element } | Unreadable;

const DEPTH_MAX = 64;
/** Twice what a reply of 8 MiB with nothing but clients of nginx-rtmp has. */
const ELEMENTS_MAX = 500_000;

/** The root element. A document that declares entities is refused, and style sheets are left where they are. */
export function parseXml(body: string): ParsedXml {
  if (!body.trimStart().startsWith("<")) return unreadable(`expected XML, got ${looksLike(body)}`);
  const parser = new SaxesParser();
  const open: Growing[] = [];
  let root: Growing | undefined;
  let elements = 0;
  parser.on("doctype", (doctype) => {
    if (/^\s*html\b/i.test(doctype)) throw new Refusal("expected XML, got HTML");
    if (doctype.includes("<!ENTITY")) throw new Refusal("its XML declares entities: refused");
  });
  parser.on("opentag", ({ name, attributes }) => {
    if (open.length >= DEPTH_MAX) throw new Refusal("its XML is nested too deeply");
    if (++elements > ELEMENTS_MAX) throw new Refusal("its XML has too many elements");
    const element: Growing = { name, attributes, text: "", children: [] };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  const take = (text: string): void => {
    const inside = open.at(-1);
    if (inside !== undefined) inside.text += text;
  };
  parser.on("text", take);
  parser.on("cdata", take);
  parser.on("closetag", () => void open.pop());
  parser.on("error", () => {
    const isHtml = root?.name.toLowerCase() === "html";
    throw new Refusal(isHtml ? "expected XML, got HTML" : "its XML is cut short or broken");
  });
  try {
    parser.write(body).close();
  } catch (error) {
    if (error instanceof Refusal) return unreadable(error.message);
    throw error;
  }
  return root === undefined ? unreadable("its XML has no element") : { kind: "element", root };
}

class Refusal extends Error {}

export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

export function childOf(element: Element, name: string): Element | undefined {
  return element.children.find((child) => child.name === name);
}

/** The text of a child; undefined without such a child. */
export function childText(element: Element, name: string): string | undefined {
  return childOf(element, name)?.text;
}

/** All elements of a name that a path of names leads to. */
export function descend(element: Element, ...path: readonly string[]): Element[] {
  return path.reduce((found, name) => found.flatMap((each) => childrenOf(each, name)), [element]);
}
