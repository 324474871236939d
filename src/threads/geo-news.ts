import type { Geo } from "../geo/geo.ts";
import type { GeoSnapshot } from "../geo/locator.ts";

/** Places and databases that threads have not been told of. */
export interface GeoNews {
  /** For them to be told now. */
  take(): { readonly geo?: GeoSnapshot };
  readonly stop: () => void;
}

/** @param onUntaken there is news, and nobody has taken it in the turn in which it came */
export function createGeoNews(geo: Pick<Geo, "snapshot" | "onChange">, onUntaken: () => void): GeoNews {
  let isNew = false;
  const stop = geo.onChange(() => {
    isNew = true;
    queueMicrotask(() => {
      if (isNew) onUntaken();
    });
  });
  return {
    take() {
      const news = isNew ? { geo: geo.snapshot() } : {};
      isNew = false;
      return news;
    },
    stop,
  };
}
