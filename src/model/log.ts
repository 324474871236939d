/** Structured log: a message from the code, and fields that the writer escapes. Secrets are never passed. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
