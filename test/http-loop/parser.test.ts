import { describe, expect, it } from "vitest";
import { createParser, type ParsedRequest } from "../../src/http-loop/parser.ts";

const parser = createParser(64 * 1024, ["host", "accept", "x-forwarded-for"]);

function parse(text: string): ParsedRequest | undefined {
  const octets = Buffer.from(text, "latin1");
  parser.room.set(octets);
  return parser.parse(0, octets.length);
}

function request(...fields: string[]): string {
  return ["GET /a?b HTTP/1.1", ...fields, "", ""].join("\r\n");
}

describe("parse", () => {
  it("reads the fields that it is told to read, in whatever case, and counts all", () => {
    expect(
      parse(request("hOST: a.example", "User-Agent: x", "X-Forwarded-For:\t1.2.3.4, 5.6.7.8 \t")),
    ).toMatchObject({
      method: "GET",
      target: "/a?b",
      headers: { host: "a.example", accept: undefined, "x-forwarded-for": "1.2.3.4, 5.6.7.8" },
      rawHeaders: ["host", "a.example", "x-forwarded-for", "1.2.3.4, 5.6.7.8"],
      fieldCount: 3,
      isKeptAlive: true,
    });
  });

  it("keeps nothing of the request before", () => {
    parse(request("Host: a.example", "Accept: b"));
    expect(parse(request("Host: c.example"))?.headers).toEqual({ host: "c.example" });
    expect(parse(request())).toMatchObject({ rawHeaders: [], fieldCount: 0 });
  });

  it("takes an empty value, and octets beyond ASCII", () => {
    expect(parse(request("Host:", "Accept: \xe4"))?.headers).toMatchObject({ host: "", accept: "\xe4" });
  });

  it.each(["Host: a.example", "hosT: b.example"])(
    "leaves a field to be read twice, %s, to others",
    (again) => {
      expect(parse(request("Host: a.example", again))).toBeUndefined();
    },
  );

  it("does not mind a field twice that nobody reads, nor names as long as those that are read", () => {
    expect(parse(request("Host: a.example", "Cookie: 1", "cookie: 2", "Hose: b", "M-st: c"))).toMatchObject({
      headers: { host: "a.example" },
      fieldCount: 5,
    });
  });

  it.each([
    "Content-Length: 0",
    "content-lengTH: 1",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Upgrade: h2c",
  ])("leaves what asks for more than an answer to the header, %s, to others", (field) => {
    expect(parse(request("Host: a.example", field))).toBeUndefined();
  });

  it("leaves more fields than it has room for to others", () => {
    const fields = (count: number): string[] => Array.from({ length: count }, () => "A: b");
    expect(parse(request(...fields(1024)))?.fieldCount).toBe(1024);
    expect(parse(request(...fields(1025)))).toBeUndefined();
  });
});
