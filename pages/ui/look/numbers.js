// Numbers as they stand in a sentence: the same writing as gd_core/words.py, which says what each is for.

function significant(number, digits = 6) {
  if (Number.isNaN(number)) return '–';
  if (!Number.isFinite(number)) return number > 0 ? '∞' : '−∞';
  if (number === 0) return '0';
  const [mantissa, exponent] = number.toExponential(digits - 1).split('e'); // rounded first: 9.9999999 is 10.0000
  const size = Math.abs(number);
  const text = size >= 1e-4 && size < 1e7 ? number.toFixed(Math.max(0, digits - 1 - exponent)) : `${mantissa}e${+exponent}`;
  return text.replaceAll('-', '−');
}

function digitsBeside(one, other) {
  return one === other ? 4 : [4, 5].find((digits) => significant(one, digits) !== significant(other, digits)) ?? 6;
}

function short(number, digits = 3) {
  const exponent = +number.toExponential(digits - 1).split('e')[1]; // rounded first: 999.6 is 1,000
  if (exponent >= 3 && exponent < 15) return whole(number, Math.max(0, digits - 1 - exponent));
  return trimmed(significant(number, digits));
}

const whole = (number, digits = 0) =>
  number.toLocaleString('en-US', { maximumFractionDigits: digits, roundingMode: 'halfEven' }).replace('-', '−');

const times = (ratio) => (Math.abs(ratio - 1) >= 5e-3 || ratio === 1 ? short(ratio) : trimmed(besideOne(ratio)));

function percent(share) {
  if (share === 1 || Math.abs(share - 1) >= 5e-3) return `${short(100 * share)} %`;
  const digits = (trimmed(besideOne(share)).split('.')[1] ?? '').length;
  return `${(100 * share).toFixed(Math.max(0, digits - 2))} %`;
}

const besideOne = (ratio) => ratio.toFixed(Math.min(15, 1 - Math.floor(Math.log10(Math.abs(ratio - 1)))));

function trimmed(text) {
  const [mantissa, exponent] = text.split('e');
  return (mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa) + (exponent === undefined ? '' : `e${exponent}`);
}

const KINDS = { f4: Float32Array, f8: Float64Array, i1: Int8Array, i2: Int16Array, i4: Int32Array };

// What the server says, and its columns: see `packed` in player.py.
function unpacked(bytes) {
  const { buffer } = bytes.slice(); // which begins where an array may begin
  let at = 4 + new DataView(buffer).getUint32(0, true);
  const said = JSON.parse(new TextDecoder().decode(bytes.subarray(4, at)));
  const table = {};
  for (const [name, kind, rows] of said.columns) {
    table[name] = new KINDS[kind](buffer, at, rows);
    at += 8 * Math.ceil(table[name].byteLength / 8);
  }
  return { ...said, table };
}
