import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/base/csv.ts";
import { digestAuthorization, digestChallengeIn, parseChallenges } from "../../src/load/digest.ts";
import { numberIn } from "../../src/load/document.ts";
import { readMetrics } from "../../src/load/prometheus.ts";
import { childText, descend, parseXml } from "../../src/load/xml.ts";

describe("HTTP authentication", () => {
  const request = { method: "GET", username: "monitor", password: "s3cret", cnonce: "0a4f113b", count: 1 };
  const uri = "/v2/machine/monitoring/current";
  const header = 'Digest realm="Wowza", domain="/", nonce="5f1d2c3b4a59687766554433221100ff", algorithm=MD5';
  const answer = (challenge: string, other: Partial<typeof request & { uri: string }> = {}) => {
    const digest = digestChallengeIn(parseChallenges(challenge));
    return digest === undefined ? undefined : digestAuthorization(digest, { uri, ...request, ...other });
  };

  it("answers Digest with and without qop", () => {
    expect(answer(`${header}, qop="auth"`)).toBe(
      'Digest username="monitor", realm="Wowza", nonce="5f1d2c3b4a59687766554433221100ff", ' +
        'uri="/v2/machine/monitoring/current", algorithm=MD5, qop=auth, nc=00000001, cnonce="0a4f113b", ' +
        'response="644080801d0ba7788e8e231f4d3959f5"',
    );
    expect(answer(header)).toContain('response="be375037b32b3f3da2b9a337ec6edbf1"');
  });

  it("answers as RFC 7616 3.9.1 has it, with SHA-256 before MD5", () => {
    const offer = (algorithm: string) =>
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
    const mufasa = {
      uri: "/dir/index.html",
      username: "Mufasa",
      password: "Circle of Life",
      cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    };
    const md5 = "8ca523f5e9506fed4657c9700eebdbec";
    const sha256 = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
    expect(answer(offer("MD5"), mufasa)).toContain(`response="${md5}"`);
    expect(answer(`${offer("MD5")}, ${offer("SHA-256")}`, mufasa)).toContain(`response="${sha256}"`);
  });

  it("leaves what it cannot answer", () => {
    expect(answer('Basic realm="x"')).toBeUndefined();
    expect(answer(`${header}, qop="auth-int"`)).toBeUndefined();
    expect(answer('Digest realm="x", nonce="y", algorithm=SHA-512-256')).toBeUndefined();
    expect(answer('Digest realm="x"')).toBeUndefined();
    expect(answer("")).toBeUndefined();
  });

  it("quotes what it repeats", () => {
    expect(answer(String.raw`Digest realm="a\"b, c", nonce="n"`, { username: 'q"' })).toMatch(
      /^Digest username="q\\"", realm="a\\"b, c", nonce="n"/,
    );
  });

  it("finds every scheme in one header, or in several", () => {
    const schemes = (value: string | string[]) => parseChallenges(value).map(({ scheme }) => scheme);
    expect(schemes('Negotiate, Digest realm="a, Basic b", nonce=n, Basic realm="x"')).toEqual([
      "negotiate",
      "digest",
      "basic",
    ]);
    expect(schemes(["Digest nonce=1", 'Basic realm="x"'])).toEqual(["digest", "basic"]);
  });
});

describe("XML", () => {
  it("keeps a list of one a list, text apart from elements, references resolved", () => {
    const parsed = parseXml(
      '<?xml version="1.0"?>\r\n<?xml-stylesheet href="x"?><a>1<b c="&lt;2">3&amp;&#x34;</b>5</a>',
    );
    if (parsed.kind !== "element") throw new Error(parsed.problem);
    expect(parsed.root.text).toBe("15");
    expect(descend(parsed.root, "b")).toHaveLength(1);
    expect(parsed.root.children[0]?.attributes).toEqual({ c: "<2" });
    expect(childText(parsed.root, "b")).toBe("3&4");
    expect(parseXml("<a>1<![CDATA[<2&]]>3</a>")).toMatchObject({ root: { text: "1<2&3" } });
  });

  it.each([
    ["entities", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', /declares entities/],
    ["entities of its own making", "<a>&b;</a>", /broken/],
    [
      "outside entities",
      '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
      /declares entities/,
    ],
    ["an end too soon", "<a><b>", /cut short or broken/],
    ["no element", "<!-- nothing -->", /broken|no element/],
    ["HTML", "<html><img src=x></html>", /HTML/],
    ["depth", "<a>".repeat(100), /too deeply/],
  ])("with %s is refused", (_, text, problem) => {
    expect(parseXml(text)).toEqual({ kind: "unreadable", problem: expect.stringMatching(problem) as string });
  });

  it("may have a document type that declares nothing", () => {
    expect(parseXml('<!DOCTYPE a SYSTEM "a.dtd"><a/>')).toMatchObject({ kind: "element" });
  });
});

describe("Prometheus text", () => {
  const read = (body: string) => readMetrics(body, ["a_total", "b"]);

  it("is read with and without labels, spaces, timestamps", () => {
    const body =
      '# TYPE a_total counter\na_total{x="1"}5\na_total{ x="2", y="z", } 6.5e+01 1795217165000\nb 7\r\nb_more 9';
    expect(read(body)).toEqual({
      a_total: [
        { labels: { x: "1" }, value: 5 },
        { labels: { x: "2", y: "z" }, value: 65 },
      ],
      b: [{ labels: {}, value: 7 }],
    });
  });

  it("has escapes, infinities, and values that are none", () => {
    const body = String.raw`a_total{x="q\"}\\\n"} +Inf` + "\nb -Inf\nb NaN\nb\nb x\nb{x} 1\n";
    expect(read(body)).toEqual({
      a_total: [{ labels: { x: 'q"}\\\n' }, value: Infinity }],
      b: [
        { labels: {}, value: -Infinity },
        { labels: {}, value: Number.NaN },
      ],
    });
  });
});

it("CSV has quotes, commas and line ends in its fields", () => {
  expect(parseCsv('a,b,\r\n"1,""x""\n2",3,\n\n,"",4')).toEqual([
    ["a", "b", ""],
    ['1,"x"\n2', "3", ""],
    [""],
    ["", "", "4"],
  ]);
});

it("numbers may be text, with or without a digit before the point", () => {
  expect(["1", ".05", "-2.5", "3.61255E7", "1.2e+06", " 7 "].map(numberIn)).toEqual([
    1, 0.05, -2.5, 36125500, 1.2e6, 7,
  ]);
  expect(["", "1,5", "0x10", "NaN", "Infinity", "1e999", null, [], true, "5 apples"].map(numberIn)).toEqual(
    Array.from({ length: 10 }, () => undefined),
  );
});
