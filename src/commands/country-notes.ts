/** Countries in rules that no viewer is in, as a mistyped code is: `check` notes them. */
import { COUNTRIES } from "../geo/countries.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Note } from "../model/problem.ts";
import type { ViewerRule } from "../model/viewer-rule.ts";

/** Codes that `places` give to networks are the operator's own word. */
export function countryNotes({ edges, places, services }: Inventory): Note[] {
  const own = new Set(places.map(({ country }) => country));
  const strangers = (rule: ViewerRule | undefined, path: Note["path"]): Note[] =>
    (rule?.countries ?? []).flatMap((code, i) =>
      Object.hasOwn(COUNTRIES, code) || own.has(code)
        ? []
        : [
            {
              path: [...path, "countries", i],
              message: `${code} is no country's code; nobody is found there`,
            },
          ],
    );
  return [
    ...edges.flatMap(({ id, preferredFor }) => strangers(preferredFor, ["edges", id, "preferredFor"])),
    ...services.flatMap(({ id, allow, deny }) => [
      ...strangers(allow, ["services", id, "allow"]),
      ...strangers(deny, ["services", id, "deny"]),
    ]),
  ];
}
