/** The numbers of the data section of a MaxMind DB: types of values, and what sizes and pointers count from. */
export const POINTER = 1;
export const UTF8 = 2;
export const DOUBLE = 3;
export const BYTES = 4;
export const UINT16 = 5;
export const UINT32 = 6;
export const MAP = 7;
export const INT32 = 8;
export const UINT64 = 9;
export const UINT128 = 10;
export const ARRAY = 11;
export const BOOLEAN = 14;
export const FLOAT = 15;

/** By how many octets follow for it, less one. */
export const POINTER_BASES = [0, 2048, 526_336, 0];
/** By how many octets follow for it, less one; a smaller size lies in the control octet. */
export const SIZE_BASES = [29, 285, 65_821];
