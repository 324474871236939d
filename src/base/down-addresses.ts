/** How many addresses of an edge are told apart where some are down: the first ones. */
export const DOWN_ADDRESSES_MAX = 31;

/**
 * Whether an address of an edge is down.
 * @param bits as `Choice.downAddresses`
 * @param position in `Edge.addresses`
 */
export function isDown(bits: number, position: number): boolean {
  return position < DOWN_ADDRESSES_MAX && ((bits >> position) & 1) !== 0;
}
