/** A share as people read it: `75.0 %`. @param share in [0, 1] */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
