/**
 * Requests that try to have a redirector name a host of theirs: every way that we know of to start an authority, to
 * write one, and to go on behind it, in every place of a request that a redirect could be made of.
 */

/** Text of one character per octet, as it stands in a request. */
export interface HostileRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/**
 * Hosts in all spellings that browsers know: names, numbers, other digits and dots (WHATWG URL, host parser), with
 * userinfo and ports.
 */
const AUTHORITIES = [
  "evil.example",
  "EVIL.example.",
  "evil.example:80",
  "evil.example:",
  "a@evil.example",
  "a:b@evil.example",
  ":@evil.example",
  "live.example.net@evil.example",
  "live.example.net:80@evil.example",
  "live.example.net%40evil.example",
  "live.example.net\\@evil.example",
  "live.example.net.evil.example",
  "live.example.net%2eevil.example",
  "%65vil.example",
  "evil%E3%80%82example",
  "evil\u00e3\u0080\u0082example",
  "\u00ef\u00bd\u0085vil.example",
  "xn--vil-9la.example",
  "evil\texample",
  "evil%00.example",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "127.0.0.1",
  "127.1",
  "0x7f.1",
  "0177.0.0.1",
  "2130706433",
  "localhost",
  "0",
  "",
];

/** Ways to come to an authority, or to look as if. */
const LEADS = [
  ["/", "//", "///", "////", "/\\", "\\\\", "\\/", "/\\/", "//\\", "/\\\\"],
  ["/\t/", "/\n/", "/\r/", "/ /", "/\u0000/", "\u0001//", " //", "/\u00a0/", "/\u00e2\u0080\u0083/"],
  [
    "/%2f",
    "/%2F%2F",
    "/%5c",
    "/%09/",
    "/%0a/",
    "/%00/",
    "/%252f",
    "/./",
    "/.//",
    "/..//",
    "/../../",
    "/a/..//",
    "/;//",
    "/;@",
  ],
  [
    "/@",
    "/:@",
    "/?@",
    "/?//",
    "/#@",
    "/.",
    "@",
    ".",
    ":",
    ":80@",
    ":@",
    "?",
    "#",
    ";",
    "%2e",
    "%40",
    "/~",
    "/*",
  ],
  [
    "http://",
    "https://",
    "HTTP://",
    "http:/",
    "http:",
    "http:///",
    "http:\\\\",
    "http:/\\",
    "//http://",
    "/http://",
    "/https:",
  ],
  [
    "javascript:",
    "javascript://",
    "/javascript:",
    "data:text/html,",
    "vbscript:",
    "file:///",
    "ftp://",
    "ws://",
    "blob:http://",
    "about:",
  ],
].flat();

/** What may stand behind. */
const TAILS = [
  [
    "",
    "/",
    "/a/b.m3u8",
    "?a=b",
    "#f",
    "//",
    "/..",
    "/%2e%2e/",
    ":80",
    ":443/",
    "@live.example.net",
    "\\@live.example.net/",
  ],
  [
    ">;rel=duplicate;pri=0,<http://evil.example/>",
    '";rel="preload',
    "\\x22,\\x22url\\x22:",
    "/?u=http://evil.example",
    "%0d%0aLocation:%20http://evil.example",
    "%0d%0a%0d%0a<html>",
    "\r\nLocation: http://evil.example",
    "\u0000",
    "\u00ff",
  ],
].flat();

/** Fields that some server somewhere believes. */
const BELIEVED = [
  "X-Forwarded-Host",
  "X-Forwarded-Server",
  "X-Forwarded-Proto",
  "X-Forwarded-Port",
  "X-Forwarded-Prefix",
  "X-Host",
  "X-Original-Url",
  "X-Original-Host",
  "X-Rewrite-Url",
  "X-Http-Host-Override",
  "Forwarded",
  "Via",
  "Referer",
  "Origin",
  "Location",
  "Destination",
  "Base-Url",
];

/** @param hostname of a service */
export function* hostileRequests(hostname: string): Generator<HostileRequest> {
  for (const text of texts())
    for (const [method, target, ...fields] of placesOf(text, hostname)) yield { method, target, fields };
}

function* texts(): Generator<string> {
  for (const lead of LEADS)
    for (const authority of AUTHORITIES) for (const tail of TAILS) yield lead + authority + tail;
}

type Place = readonly [method: string, target: string, ...fields: (readonly [string, string])[]];

let turn = 0;

/** Everywhere that a request has room for it; of the fields and methods, one after another. */
function placesOf(text: string, hostname: string): Place[] {
  const host = ["Host", hostname] as const;
  const method = ["GET", "HEAD", "POST", "PROPFIND"][turn % 4] as string;
  const field = BELIEVED[turn++ % BELIEVED.length] as string;
  return [
    [method, text, host],
    [method, `/live${text}`, host],
    [method, `http://${hostname}${text}`, host],
    [method, `/live/a?u=${text}&url=${text}`, host],
    ["GET", `/redirector.php?u=${text}`, host],
    ["GET", `/redirector.php?u=${encodeURIComponent(text)}`, host],
    [method, "/live/a", ["Host", text]],
    [method, "/live/a", ["Host", hostname + text]],
    [method, "/live/a", host, [field, text]],
    [method, "/live/a", host, [field, text.replace(/^\W+/, "")]],
  ];
}
