import { basename } from "node:path";
import type { DatabaseInfo } from "../geo/geo.ts";

/**
 * One line for each GeoIP database whose file was refused, or is gone, when it was last looked at: what is in use
 * meanwhile would not outlast a restart. Files by their names alone, since everyone may ask for alarms.
 */
export function databaseTexts(databases: readonly DatabaseInfo[]): string[] {
  return databases.flatMap(({ path, flaw, builtAtMs }) => {
    if (flaw === undefined) return [];
    const file = `GeoIP database ${basename(path)}`;
    return builtAtMs === undefined
      ? [`${file} is not there or not sound (${flaw.reason}): viewers are located without it`]
      : [
          `${file} is gone or not sound any more (${flaw.reason}): the one in use would not outlast a restart`,
        ];
  });
}
