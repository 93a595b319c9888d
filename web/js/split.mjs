// Parts a WebAssembly module in two: what is needed until a file can be typed into, and the rest, which comes when it is
// needed or when there is nothing better to do. Knows the binary format (https://webassembly.github.io/spec/core/binary/)
// as far as rustc and wasm-bindgen use it, and refuses what it does not know. Changes no function but for which other
// functions it calls.
//
// Both halves have one memory, one set of globals and one table of functions. A function has the same number in both; in
// the half that lacks it, what stands there calls the other half's by a slot of the table. A slot of the late half holds,
// until that is there, a function that has it loaded first (the import `split.load`) and then calls itself by its slot.

/** Sections of a module, by their numbers in the format. */
const TYPE = 1;
const IMPORT = 2;
const FUNCTION = 3;
const TABLE = 4;
const MEMORY = 5;
const GLOBAL = 6;
const EXPORT = 7;
const START = 8;
const ELEMENT = 9;
const CODE = 10;
const DATA = 11;
const DATA_COUNT = 12;
/** The order in which they stand. */
const ORDER = [TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA];

const HEADER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const FUNCTIONS = 0x70;
const I32 = 0x7f;
const END = 0x0b;
const CALL = 0x10;
const RETURN_CALL = 0x12;
const REF_FUNC = 0xd2;

/**
 * `isLate(name)` says of a function by its name whether it is of the late half. What is called by late functions alone, and
 * whose address nobody takes, is late, too. Returns both halves, `early` with exports for the other one, and what each import
 * is called now, by what it was called: the names that wasm-bindgen gives are long and end with a hash.
 */
export function split(bytes, isLate) {
  const module = read(bytes);
  const names = new Map(module.imports.map(({ name }, at) => [name, `i${at.toString(36)}`]));
  for (const it of module.imports) it.name = names.get(it.name);
  const late = lateOf(module, isLate);
  const slots = slotsOf(module, late);
  return { early: early(module, late, slots), late: lateHalf(module, late, slots), names };
}

/**
 * The module with a call of the import `split.ran` at the beginning of each function, with the function's number, and their
 * names by these numbers.
 */
export function watched(bytes) {
  const module = read(bytes);
  const { imports, types, functions, tables, memories, globals, exports, elements, bodies, start, names } = module;
  const shift = shiftOf(imports);
  const type = types.findIndex((it) => it.parameters.join() === String(I32) && it.results.length === 0);
  const code = bodies.map((body, at) => {
    const told = [0x41, ...signed(at + imports.length), CALL, ...number(imports.length)];
    return moved(body, shift, told);
  });
  const watching = write(module, type, {
    [IMPORT]: vector([...imports.map(imported), [...text('split'), ...text('ran'), 0, ...number(type)]]),
    [TABLE]: vector(tables.map((it) => [it.kind, ...limits(it)])),
    [MEMORY]: vector(memories.map((it) => limits(it))),
    [GLOBAL]: vector(globals.map((it) => [it.kind, it.mutable, ...it.start])),
    [EXPORT]: vector(exports.map((it) => [...text(it.name), it.kind, ...number(it.kind === 0 ? shift(it.index) : it.index)])),
    ...(start === null ? {} : { [START]: number(shift(start)) }),
    [ELEMENT]: vector(elements.map((it) => segment(it.offset, it.functions.map(shift)))),
    [FUNCTION]: vector(functions.map((it) => number(it))),
    [CODE]: vector(code),
    ...rest(module, [DATA_COUNT, DATA]),
  });
  return { watching, names: Object.fromEntries(names) };
}

class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }

  get more() {
    return this.at < this.end;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** An unsigned number; signed ones are passed over the same way. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name() {
    return new TextDecoder().decode(this.take(this.number()));
  }

  list(read) {
    return Array.from({ length: this.number() }, read);
  }

  limits() {
    const flags = this.byte();
    if (flags > 1) throw new Error('a memory or a table of a kind that is not known here');
    return { least: this.number(), most: flags === 1 ? this.number() : null };
  }
}

function read(bytes) {
  const sections = new Map();
  let names = new Map();
  const all = new Reader(bytes, HEADER.length);
  while (all.more) {
    const id = all.byte();
    const length = all.number();
    const section = new Reader(bytes, all.at, all.at + length);
    all.at += length;
    if (id !== 0) sections.set(id, section);
    else if (section.name() === 'name') names = namesIn(section);
  }
  const list = (id, read) => {
    const section = sections.get(id);
    return section ? section.list(() => read(section)) : [];
  };
  const types = list(TYPE, (section) => {
    if (section.byte() !== 0x60) throw new Error('a type that is not a function’s');
    const parameters = section.list(() => section.byte());
    return { parameters, results: section.list(() => section.byte()) };
  });
  const imports = list(IMPORT, (section) => {
    const [module, name] = [section.name(), section.name()];
    if (section.byte() !== 0) throw new Error('an import that is not a function');
    return { type: section.number(), module, name };
  });
  const functions = list(FUNCTION, (section) => section.number());
  const tables = list(TABLE, (section) => ({ kind: section.byte(), ...section.limits() }));
  const memories = list(MEMORY, (section) => section.limits());
  const globals = list(GLOBAL, (section) => {
    const [kind, mutable] = [section.byte(), section.byte()];
    const from = section.at;
    walk(section, () => {});
    return { kind, mutable, start: bytes.subarray(from, section.at) };
  });
  const exports = list(EXPORT, (section) => ({ name: section.name(), kind: section.byte(), index: section.number() }));
  const elements = list(ELEMENT, (section) => {
    if (section.byte() !== 0) throw new Error('functions that are not put into the first table');
    if (section.byte() !== 0x41) throw new Error('functions that are put where is not known');
    const offset = section.number();
    if (section.byte() !== END) throw new Error('functions that are put where is not known');
    return { offset, functions: section.list(() => section.number()) };
  });
  const bodies = list(CODE, (section) => {
    const length = section.number();
    const body = new Reader(bytes, section.at, section.at + length);
    section.at += length;
    return bodyOf(body);
  });
  const start = sections.get(START)?.number() ?? null;
  if (tables[0]?.kind !== FUNCTIONS) throw new Error('there is no table of functions');
  const rest = [TYPE, DATA_COUNT, DATA].flatMap((id) => {
    const section = sections.get(id);
    return section ? [[id, bytes.subarray(id === TYPE ? startOf(section, bytes) : section.at, section.end)]] : [];
  });
  return { types, imports, functions, tables, memories, globals, exports, elements, bodies, start, names, rest: new Map(rest) };
}

/** Where a section's content begins, whatever was read of it. */
function startOf(section, bytes) {
  const all = new Reader(bytes, HEADER.length);
  while (all.more) {
    all.byte();
    const length = all.number();
    if (all.at + length === section.end) return all.at;
    all.at += length;
  }
  throw new Error('a section is not where it was');
}

function namesIn(section) {
  const names = new Map();
  while (section.more) {
    const kind = section.byte();
    const end = section.number() + section.at;
    if (kind === 1) for (const [index, name] of section.list(() => [section.number(), section.name()])) names.set(index, name);
    section.at = end;
  }
  return names;
}

/** A body, where in it its instructions start, and where functions are named. */
function bodyOf(body) {
  const from = body.at;
  for (let groups = body.number(); groups > 0; groups -= 1) {
    body.number();
    body.byte();
  }
  const start = body.at - from;
  const calls = [];
  while (body.more) walk(body, (at, end, index) => calls.push({ at: at - from, end: end - from, index }));
  return { bytes: body.bytes.subarray(from, body.end), start, calls };
}

/** Passes over instructions to the end of the expression; `named(from, to, index)` hears where a function is named. */
function walk(code, named) {
  let depth = 1;
  while (depth > 0) {
    const opcode = code.byte();
    if (opcode === END) depth -= 1;
    else if (opcode >= 0x02 && opcode <= 0x04) {
      depth += 1;
      code.number();
    } else if (opcode === CALL || opcode === RETURN_CALL || opcode === REF_FUNC) {
      const at = code.at;
      const index = code.number();
      named(at, code.at, index);
    } else immediates(code, opcode);
  }
}

function immediates(code, opcode) {
  const numbers = (count) => {
    for (let left = count; left > 0; left -= 1) code.number();
  };
  if (opcode <= 0x01 || opcode === 0x05 || opcode === 0x0f || opcode === 0x1a || opcode === 0x1b) return;
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  if (opcode === 0x0c || opcode === 0x0d || (opcode >= 0x20 && opcode <= 0x26)) return numbers(1);
  if (opcode === 0x11 || opcode === 0x13 || (opcode >= 0x28 && opcode <= 0x3e)) return numbers(2);
  if (opcode === 0x0e) return numbers(code.number() + 1);
  if (opcode === 0x1c) return void code.take(code.number());
  if (opcode === 0x3f || opcode === 0x40 || opcode === 0x41 || opcode === 0x42 || opcode === 0xd0) return numbers(1);
  if (opcode === 0x43) return void code.take(4);
  if (opcode === 0x44) return void code.take(8);
  if (opcode === 0xd1) return;
  if (opcode === 0xfc) {
    const which = code.number();
    if (which <= 7) return;
    const count = { 8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1 }[which];
    if (count) return numbers(count);
  }
  throw new Error(`an instruction that is not known here: ${opcode.toString(16)}`);
}

/** The functions of the late half. */
function lateOf({ imports, functions, bodies, exports, elements, start, names }, isLate) {
  const own = (index) => index >= imports.length;
  const taken = new Set([...elements.flatMap((segment) => segment.functions), ...exports.filter((it) => it.kind === 0).map((it) => it.index)]);
  if (start !== null) taken.add(start);
  const callers = new Map();
  bodies.forEach(({ calls }, at) => {
    for (const { index } of calls) callers.set(index, (callers.get(index) ?? new Set()).add(at + imports.length));
  });
  const late = new Set();
  functions.forEach((_, at) => {
    const index = at + imports.length;
    if (isLate(names.get(index) ?? '')) late.add(index);
  });
  for (const it of exports) if (it.kind === 0) late.delete(it.index);
  const waiting = [...late];
  while (waiting.length > 0) {
    for (const { index } of bodies[waiting.pop() - imports.length].calls) {
      if (!own(index) || late.has(index) || taken.has(index)) continue;
      if ([...callers.get(index)].every((caller) => late.has(caller))) {
        late.add(index);
        waiting.push(index);
      }
    }
  }
  return late;
}

/** The slots of functions that one half calls in the other, and what has to be put into the table for that. */
function slotsOf({ imports, tables, elements, bodies }, late) {
  const slots = new Map();
  for (const { offset, functions } of elements) functions.forEach((index, at) => slots.set(index, offset + at));
  const added = [];
  bodies.forEach(({ calls }, at) => {
    const isLate = late.has(at + imports.length);
    for (const { index } of calls) {
      if (index < imports.length || late.has(index) === isLate || slots.has(index)) continue;
      slots.set(index, tables[0].least + added.length);
      added.push(index);
    }
  });
  return { of: slots, added };
}

function early(module, late, slots) {
  const { imports, functions, tables, memories, globals, exports, elements, bodies, start } = module;
  const shift = shiftOf(imports);
  const type = typeOfLoad(module);
  const table = { ...tables[0], least: tables[0].least + slots.added.length };
  if (table.most !== null) table.most += slots.added.length;
  const shared = [
    ...tables.map((_, at) => [`split.table${at}`, 1, at]),
    ...memories.map((_, at) => [`split.memory${at}`, 2, at]),
    ...globals.map((_, at) => [`split.global${at}`, 3, at]),
  ];
  const code = bodies.map((body, at) => {
    const index = at + imports.length;
    return late.has(index) ? through(module, functions[at], slots.of.get(index), imports.length) : moved(body, shift);
  });
  const put = [...elements, { offset: tables[0].least, functions: slots.added }];
  return write(module, type, {
    [IMPORT]: vector([...imports.map(imported), loadImport(type)]),
    [TABLE]: vector([table, ...tables.slice(1)].map((it) => [it.kind, ...limits(it)])),
    [MEMORY]: vector(memories.map((it) => limits(it))),
    [GLOBAL]: vector(globals.map((it) => [it.kind, it.mutable, ...it.start])),
    [EXPORT]: vector([
      ...exports.map((it) => [...text(it.name), it.kind, ...number(it.kind === 0 ? shift(it.index) : it.index)]),
      ...shared.map(([name, kind, index]) => [...text(name), kind, ...number(index)]),
    ]),
    ...(start === null ? {} : { [START]: number(shift(start)) }),
    [ELEMENT]: vector(put.filter((it) => it.functions.length > 0).map((it) => segment(it.offset, it.functions.map(shift)))),
    [CODE]: vector(code),
    ...rest(module, [DATA_COUNT, DATA]),
  });
}

function lateHalf(module, late, slots) {
  const { imports, functions, tables, memories, globals, elements, bodies } = module;
  const shift = shiftOf(imports);
  const type = typeOfLoad(module);
  const shared = [
    ...tables.map((it, at) => [...text('early'), ...text(`split.table${at}`), 1, it.kind, ...limits({ ...it, most: null })]),
    ...memories.map((it, at) => [...text('early'), ...text(`split.memory${at}`), 2, ...limits({ ...it, most: null })]),
    ...globals.map((it, at) => [...text('early'), ...text(`split.global${at}`), 3, it.kind, it.mutable]),
  ];
  const code = bodies.map((body, at) => {
    const index = at + imports.length;
    if (late.has(index)) return moved(body, shift);
    const slot = slots.of.get(index);
    return slot === undefined ? sized([0, 0x00, END]) : through(module, functions[at], slot, null);
  });
  // Every slot of a late function, and those in a row together.
  const places = [
    ...elements.flatMap(({ offset, functions }) => functions.map((index, at) => [offset + at, index])),
    ...slots.added.map((index, at) => [tables[0].least + at, index]),
  ].filter(([, index]) => late.has(index));
  const segments = [];
  for (const [slot, index] of places.sort(([one], [other]) => one - other)) {
    const last = segments.at(-1);
    if (last && last.offset + last.functions.length === slot) last.functions.push(shift(index));
    else segments.push({ offset: slot, functions: [shift(index)] });
  }
  return write(module, type, {
    [IMPORT]: vector([...imports.map(imported), loadImport(type), ...shared]),
    [ELEMENT]: vector(segments.map((it) => segment(it.offset, it.functions))),
    [CODE]: vector(code),
  });
}

/** Functions are counted from one more on: there is one import more. */
function shiftOf(imports) {
  return (index) => (index >= imports.length ? index + 1 : index);
}

/** The type of a function that takes and gives nothing, or the number it will have. */
function typeOfLoad({ types }) {
  const at = types.findIndex((it) => it.parameters.length === 0 && it.results.length === 0);
  return at < 0 ? types.length : at;
}

function imported({ module, name, type }) {
  return [...text(module), ...text(name), 0, ...number(type)];
}

function loadImport(type) {
  return [...text('split'), ...text('load'), 0, ...number(type)];
}

/** The body of a function that calls the one in a slot, having called the function `first` before, if there is one. */
function through({ types }, type, slot, first) {
  const parameters = types[type].parameters.flatMap((_, at) => [0x20, ...number(at)]);
  const load = first === null ? [] : [CALL, ...number(first)];
  return sized([0, ...load, ...parameters, 0x41, ...signed(slot), 0x11, ...number(type), 0, END]);
}

/** A body whose calls are those of functions with other numbers, and what is done `first` in it. */
function moved({ bytes, start, calls }, shift, first = []) {
  const parts = [bytes.subarray(0, start), first];
  let from = start;
  for (const { at, end, index } of calls) {
    parts.push(bytes.subarray(from, at), number(shift(index)));
    from = end;
  }
  return sized(joined([...parts, bytes.subarray(from)]));
}

function rest(module, ids) {
  return Object.fromEntries(ids.filter((id) => module.rest.has(id)).map((id) => [id, module.rest.get(id)]));
}

function write(module, type, sections) {
  const { types, functions } = module;
  const content = {
    [TYPE]: type < types.length ? module.rest.get(TYPE) : vector([...types.map(typed), typed({ parameters: [], results: [] })]),
    [FUNCTION]: vector(functions.map((it) => number(it))),
    ...sections,
  };
  const parts = [HEADER];
  for (const id of ORDER) {
    const bytes = content[id];
    if (bytes && bytes.length > 0) parts.push(Uint8Array.of(id), number(bytes.length), bytes);
  }
  return joined(parts);
}

function typed({ parameters, results }) {
  return [0x60, ...number(parameters.length), ...parameters, ...number(results.length), ...results];
}

function segment(offset, functions) {
  return joined([[0, 0x41], signed(offset), [END], vector(functions.map((index) => number(index)))]);
}

function limits({ least, most }) {
  return most === null ? [0, ...number(least)] : [1, ...number(least), ...number(most)];
}

function vector(items) {
  return joined([number(items.length), ...items]);
}

function sized(bytes) {
  return joined([number(bytes.length), bytes]);
}

function text(name) {
  const bytes = new TextEncoder().encode(name);
  return [...number(bytes.length), ...bytes];
}

function number(value) {
  const bytes = [];
  let left = value;
  do {
    const low = left % 128;
    left = Math.floor(left / 128);
    bytes.push(left > 0 ? low | 0x80 : low);
  } while (left > 0);
  return bytes;
}

/** A number that is not negative, written as a signed one. */
function signed(value) {
  const bytes = [];
  let left = value;
  for (;;) {
    const low = left & 0x7f;
    left >>= 7;
    if (left === 0 && (low & 0x40) === 0) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
