// A small assembler: WebAssembly written as nested lists, as its text format folds them.
//
//     ["f32x4.add", "x", ["v128.load", 16, "at"]]     (f32x4.add (local.get $x) (v128.load offset=16 (local.get $at)))
//
// A text alone is a local variable. Only what the loops of this page need is known here.
IBLab.define("wasm", [], function () {
  const PLAIN = { // one byte, operands before it
    "i32.add": 0x6a, "i32.sub": 0x6b, "i32.and": 0x71, "i32.shl": 0x74, "i32.gt_s": 0x4a, "i32.lt_s": 0x48,
    "i64.add": 0x7c, "i64.mul": 0x7e, "i64.and": 0x83, "i64.xor": 0x85, "i64.shl": 0x86, "i64.shr_u": 0x88,
    "f64.mul": 0xa2, "i32.trunc_f64_s": 0xaa, "f64.convert_i32_s": 0xb7, "f64.convert_i64_u": 0xba,
    "i64.extend_i32_u": 0xad,
  };
  const MEMORY = { "i32.load": 0x28, "f64.load": 0x2b, "i32.store": 0x36, "f64.store": 0x39 };
  const SIMD = {
    "i32x4.splat": 0x11, "f32x4.splat": 0x13, "v128.and": 0x4e, "v128.or": 0x50, "v128.bitselect": 0x52,
    "f32x4.lt": 0x43, "f32x4.gt": 0x44, "f32x4.nearest": 0x6a,
    "i32x4.shl": 0xab, "i32x4.shr_s": 0xac, "i32x4.shr_u": 0xad, "i32x4.add": 0xae,
    "f32x4.abs": 0xe0, "f32x4.add": 0xe4, "f32x4.sub": 0xe5, "f32x4.mul": 0xe6, "f32x4.div": 0xe7,
    "f32x4.pmin": 0xea, "f32x4.pmax": 0xeb, "i32x4.trunc_sat_f32x4_s": 0xf8, "f32x4.convert_i32x4_s": 0xfa,
  };
  const SIMD_MEMORY = { "v128.load": 0x00, "v128.load32_splat": 0x09, "v128.store": 0x0b };
  const TYPES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

  /** LEB128, signed; for BigInt and for whole numbers. */
  function signed(value, out) {
    let rest = BigInt(value);
    for (;;) {
      const low = Number(rest & 127n);
      rest >>= 7n;
      if ((rest === 0n && !(low & 64)) || (rest === -1n && low & 64)) return out.push(low);
      out.push(low | 128);
    }
  }

  function unsigned(value, out) {
    for (; value > 127; value = Math.floor(value / 128)) out.push((value & 127) | 128);
    out.push(value);
  }

  const float32 = (value) => [...new Uint8Array(Float32Array.of(value).buffer)];
  const float64 = (value) => [...new Uint8Array(Float64Array.of(value).buffer)];

  /** Bytes of an expression. places: number of each local variable. */
  function emit(node, places, out) {
    if (typeof node === "string") return emit(["local.get", node], places, out);
    const [op, ...rest] = node, operands = (many) => many.forEach((one) => emit(one, places, out));
    const local = () => {
      if (!(rest[0] in places)) throw new Error(`no local variable is called ${rest[0]}.`);
      unsigned(places[rest[0]], out);
    };
    if (op in PLAIN) {
      operands(rest);
      out.push(PLAIN[op]);
    } else if (op in SIMD) {
      operands(rest);
      out.push(0xfd);
      unsigned(SIMD[op], out);
    } else if (op in MEMORY || op in SIMD_MEMORY) {
      operands(rest.slice(1));
      if (op in SIMD_MEMORY) out.push(0xfd);
      out.push(op in MEMORY ? MEMORY[op] : SIMD_MEMORY[op], 2);
      unsigned(rest[0], out);
    } else if (op === "local.get") {
      out.push(0x20);
      local();
    } else if (op === "local.set") {
      operands(rest.slice(1));
      out.push(0x21);
      local();
    } else if (op === "i32.const" || op === "i64.const") {
      out.push(op === "i32.const" ? 0x41 : 0x42);
      signed(rest[0], out);
    } else if (op === "f32.const") out.push(0x43, ...float32(rest[0]));
    else if (op === "f64.const") out.push(0x44, ...float64(rest[0]));
    else if (op === "f32x4.const") out.push(0xfd, 0x0c, ...[0, 0, 0, 0].flatMap(() => float32(rest[0])));
    else if (op === "loop") { // repeats while the last operand is not 0
      out.push(0x03, 0x40);
      operands(rest);
      out.push(0x0d, 0, 0x0b);
    } else throw new Error(`the assembler does not know ${op}.`);
    return out;
  }

  function section(number, content) {
    const size = [];
    unsigned(content.length, size);
    return [number, ...size, ...content];
  }

  function list(items) {
    const found = [];
    unsigned(items.length, found);
    return found.concat(...items);
  }

  const text = (name) => [name.length, ...[...name].map((one) => one.charCodeAt(0))];

  /** Body of a function {params, locals: {name: type}, body: [expressions]}. */
  function code({ params, locals, body }) {
    const names = [...Object.keys(params), ...Object.keys(locals)];
    const places = Object.fromEntries(names.map((name, k) => [name, k])), out = [];
    const declared = list(Object.values(locals).map((type) => [1, TYPES[type]]));
    body.forEach((node) => emit(node, places, out));
    const size = [], whole = [...declared, ...out, 0x0b];
    unsigned(whole.length, size);
    return size.concat(whole);
  }

  /** Bytes of a module: functions without results by name, over one imported memory. */
  function assemble(functions) {
    const names = Object.keys(functions), each = Object.values(functions);
    const types = each.map(({ params }) => [0x60, ...list(Object.values(params).map((type) => [TYPES[type]])), 0]);
    return Uint8Array.from([
      0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
      ...section(1, list(types)),
      ...section(2, list([[...text("js"), ...text("memory"), 2, 0, 1]])),
      ...section(3, list(names.map((_, k) => [k]))),
      ...section(7, list(names.map((name, k) => [...text(name), 0, k]))),
      ...section(10, list(each.map(code))),
    ]);
  }

  return { assemble };
});
