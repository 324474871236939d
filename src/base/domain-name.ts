/** The most characters of a domain name, written without its final dot: 255 octets on the wire (RFC 1035 2.3.4). */
export const MAX_NAME_LENGTH = 253;
