import type { LocationLayer } from "../model/location.ts";
import type { Look } from "./page.ts";
import { type Cell, fields, heading } from "./table.ts";
import { kilometres, UNKNOWN, wordFor } from "./text.ts";
import type { GeoView, PlaceView } from "./views.ts";

/** Where an address is, in one line: `London, GB, EU (city database), AS20712`. */
export function placeOf({ city, country, continent, layer, asn, latitude, longitude }: PlaceView): string {
  const names = [city, country, continent].filter((name) => name !== undefined);
  const where = names.length > 0 ? names.join(", ") : degrees(latitude, longitude);
  const located = layer === "none" ? "cannot be located" : `${where} (${wordFor(LAYERS, layer) ?? layer})`;
  return asn === undefined ? located : `${located}, AS${asn}`;
}

export function geoPage(view: GeoView, { colour }: Look): string[] {
  const { city, country, continent, latitude, longitude, accuracyRadiusKm, layer, prefix, asn } = view;
  const radius = accuracyRadiusKm === undefined ? "" : `, within ${kilometres(accuracyRadiusKm)} km`;
  const source: Cell =
    layer === "none" ? { text: "no source knows it", style: "yellow" } : (wordFor(LAYERS, layer) ?? layer);
  return [
    heading(view.address, colour),
    ...fields(
      [
        ["source", source],
        ["prefix", prefix],
        ["city", city ?? UNKNOWN],
        ["country", country ?? UNKNOWN],
        ["continent", continent ?? UNKNOWN],
        ["location", `${degrees(latitude, longitude)}${radius}`],
        ["asn", asn === undefined ? UNKNOWN : `AS${asn}`],
      ],
      colour,
    ),
  ];
}

const LAYERS: Readonly<Record<LocationLayer, string>> = {
  places: "places of the configuration",
  city: "city database",
  country: "country database",
  none: "none",
};

/** Latitude, longitude; two digits are a kilometre. */
function degrees(latitude: number | undefined, longitude: number | undefined): string {
  return latitude === undefined || longitude === undefined
    ? UNKNOWN
    : `${latitude.toFixed(2)}, ${longitude.toFixed(2)}`;
}
