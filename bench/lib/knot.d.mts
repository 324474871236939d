export function knotServer(folder: string, port: number, settings?: string): string;
