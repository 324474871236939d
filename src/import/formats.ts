/** Whose configurations can be imported. */
export const IMPORT_FORMATS = ["flashphoner", "mistserver", "redirector-php", "gdnsd", "csv"] as const;

export type ImportFormat = (typeof IMPORT_FORMATS)[number];
