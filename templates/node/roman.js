// One of the tests fails. Run them, then mend it.

const SIGNS = [['M', 1000], ['D', 500], ['CD', 400], ['C', 100], ['L', 50], ['XL', 40], ['X', 10], ['V', 5], ['IV', 4], ['I', 1]];

export function roman(number) {
  let text = '';
  for (const [sign, value] of SIGNS) {
    while (number >= value) {
      text += sign;
      number -= value;
    }
  }
  return text;
}
