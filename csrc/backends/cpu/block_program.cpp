#include "backends/cpu/block_program.h"

#include <algorithm>
#include <cstring>

namespace ranvier::cpu {
namespace {

constexpr std::int64_t kBlock = 1024;       // elements of a block
constexpr std::int64_t kTaskBlocks = 8;     // blocks of a task: the unit that threads share out
constexpr std::int64_t kNarrow = 256;       // rows shorter than this are run several at a time
constexpr int kMaxRegisters = 1024;  // a chain of 96 instructions with three inputs each needs 768

void copy_row(std::byte* out, const std::byte* in, std::int64_t bytes) { std::memcpy(out, in, static_cast<std::size_t>(bytes)); }

// Rough nanoseconds an element, for choosing threads.
double nanoseconds_of(Op op) {
  switch (op_def(op).cost) {
    case CostClass::transcendental: case CostClass::power: return 0.8;
    case CostClass::division: return 0.3;
    case CostClass::free: case CostClass::cheap: break;
  }
  return 0.06;
}

Ew ew_of(Op op) {
  switch (op) {
#define RANVIER_EW(name, ...) \
  case Op::name: return Ew::name;
#include "kernels/elementwise/elementwise.def"
#undef RANVIER_EW
    default: break;
  }
  fail(ErrorKind::kRuntime, "There is no kernel for '", op_def(op).name, "'.");
}

bool is_copy(Op op) { return op_def(op).is(kCopy); }

// Merges neighbouring axes that every operand walks as one; extents and strides (elements) outermost first.
struct Collapsed {
  std::vector<std::int64_t> extents;
  std::vector<std::vector<std::int64_t>> strides;  // [input][axis]
};

std::vector<std::int64_t> broadcast_strides(const Shape& from, const Shape& to) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(to.rank()), 0);
  std::int64_t step = 1;
  for (int i = 1; i <= from.rank(); ++i) {
    const std::int64_t dim = from[from.rank() - i];
    if (i > to.rank()) break;  // leading ones
    strides[static_cast<std::size_t>(to.rank() - i)] = dim == 1 ? 0 : step;
    step *= dim;
  }
  return strides;
}

Collapsed collapse(const ElementwiseSpec& spec, bool keep_last) {
  Collapsed all;
  const int rank = spec.shape.rank();
  std::vector<std::vector<std::int64_t>> strides;
  for (const TensorType& input : spec.inputs) strides.push_back(broadcast_strides(input.shape, spec.shape));
  std::vector<std::int64_t> full(static_cast<std::size_t>(rank), 1);
  for (int i = rank - 2; i >= 0; --i) full[static_cast<std::size_t>(i)] = full[static_cast<std::size_t>(i) + 1] * spec.shape[i + 1];
  strides.push_back(full);  // the outputs'
  all.strides.resize(strides.size());
  for (int i = 0; i < rank; ++i) {
    const std::int64_t extent = spec.shape[i];
    const auto at = static_cast<std::size_t>(i);
    if (extent == 1 && !(keep_last && i == rank - 1)) continue;
    bool merges = !all.extents.empty() && !(keep_last && i == rank - 1);
    for (std::size_t k = 0; merges && k < strides.size(); ++k) merges = all.strides[k].back() == strides[k][at] * extent;
    if (merges) {
      all.extents.back() *= extent;
      for (std::size_t k = 0; k < strides.size(); ++k) all.strides[k].back() = strides[k][at];
    } else {
      all.extents.push_back(extent);
      for (std::size_t k = 0; k < strides.size(); ++k) all.strides[k].push_back(strides[k][at]);
    }
  }
  if (all.extents.empty()) {
    all.extents.push_back(1);
    for (auto& list : all.strides) list.push_back(1);
  }
  return all;
}

}  // namespace

// Turns the spec's values into registers: inputs, then outputs, then temporaries.
struct BlockProgram::Compiler {
  BlockProgram& p;
  const ElementwiseSpec& spec;
  int input_count;
  std::vector<int> source;    // value -> the value it is a plain copy of (itself otherwise)
  std::vector<int> last_use;  // by instruction number
  std::vector<int> output_of; // value -> output number or -1
  std::vector<int> reg;       // value -> register
  std::vector<int> free_temporaries;
  std::vector<std::pair<int, int>> late_copies;  // (output register, value): written after everything else
  // Instructions that run in one call: first_of[second] = first and second_of[first] = second, by number; -1 if none.
  std::vector<int> first_of, second_of;

  Compiler(BlockProgram& program, const ElementwiseSpec& s) : p(program), spec(s), input_count(static_cast<int>(s.inputs.size())) {}

  int value_count() const { return input_count + static_cast<int>(spec.code.size()); }
  bool is_scalar(int value) const { return value < input_count && p.inputs_[static_cast<std::size_t>(value)].access == Access::kScalar; }
  int output_register(int output) const { return input_count + output; }
  int temporary_register(int index) const { return input_count + static_cast<int>(spec.outputs.size()) + index; }
  DType dtype(int value) const {
    return value < input_count ? spec.inputs[static_cast<std::size_t>(value)].dtype : spec.code[static_cast<std::size_t>(value - input_count)].out;
  }

  int take_temporary() {
    if (!free_temporaries.empty()) {
      const int index = free_temporaries.back();
      free_temporaries.pop_back();
      return index;
    }
    return p.temporaries_++;
  }

  // The register that holds a value as a whole block.
  int block_register(int value) {
    Input* input = value < input_count ? &p.inputs_[static_cast<std::size_t>(value)] : nullptr;
    if (!input || input->access == Access::kFull) return reg[static_cast<std::size_t>(value)];
    if (input->access == Access::kScalar && input->expanded < 0) input->expanded = p.temporaries_++;
    if (input->access == Access::kScalar) return temporary_register(input->expanded);
    return reg[static_cast<std::size_t>(value)];
  }

  void analyse() {
    const int n = value_count();
    source.resize(static_cast<std::size_t>(n));
    last_use.assign(static_cast<std::size_t>(n), -1);
    output_of.assign(static_cast<std::size_t>(n), -1);
    reg.assign(static_cast<std::size_t>(n), -1);
    for (std::size_t i = 0; i < spec.outputs.size(); ++i) output_of[static_cast<std::size_t>(input_count + spec.outputs[i])] = static_cast<int>(i);
    for (int v = 0; v < n; ++v) {
      source[static_cast<std::size_t>(v)] = v;
      if (v < input_count) {
        reg[static_cast<std::size_t>(v)] = v;
        continue;
      }
      const auto& ins = spec.code[static_cast<std::size_t>(v - input_count)];
      if (is_copy(ins.op)) source[static_cast<std::size_t>(v)] = source[static_cast<std::size_t>(ins.args[0])];
    }
    pair_up();
    for (int number = 0; number < static_cast<int>(spec.code.size()); ++number) {
      const int at = std::max(number, second_of[static_cast<std::size_t>(number)]);  // when it is run
      for (int arg : spec.code[static_cast<std::size_t>(number)].args)
        if (arg >= 0) last_use[static_cast<std::size_t>(source_of(arg))] = std::max(last_use[static_cast<std::size_t>(source_of(arg))], at);
    }
  }
  int source_of(int value) const { return source[static_cast<std::size_t>(value)]; }

  // Pairs each instruction with one that computes an operand for it alone, where there is a kernel for both.
  void pair_up() {
    std::vector<int> readers(static_cast<std::size_t>(value_count()), 0);
    for (const auto& ins : spec.code)
      for (int arg : ins.args)
        if (arg >= 0) ++readers[static_cast<std::size_t>(source_of(arg))];
    first_of.assign(spec.code.size(), -1);
    second_of.assign(spec.code.size(), -1);
    for (int number = 0; number < static_cast<int>(spec.code.size()); ++number) {
      for (int k = 0; k < 2 && first_of[static_cast<std::size_t>(number)] < 0; ++k) {
        const int arg = spec.code[static_cast<std::size_t>(number)].args[k];
        if (arg < 0 || source_of(arg) < input_count) continue;
        const int value = source_of(arg), first = value - input_count;
        if (readers[static_cast<std::size_t>(value)] != 1 || output_of[static_cast<std::size_t>(value)] >= 0) continue;
        if (first_of[static_cast<std::size_t>(first)] >= 0 || !pair_kernel(first, number, k)) continue;
        first_of[static_cast<std::size_t>(number)] = first;
        second_of[static_cast<std::size_t>(first)] = number;
      }
    }
  }

  // The kernel that runs instruction `first` and then `second`, whose operand k is first's result; or nullptr.
  EwFn pair_kernel(int first, int second, int k) const {
    const auto &one = spec.code[static_cast<std::size_t>(first)], &two = spec.code[static_cast<std::size_t>(second)];
    for (const auto* ins : {&one, &two})
      if (ins->in != DType::f32 || ins->out != DType::f32 || ins->op == Op::cast || is_copy(ins->op) || ins->args[2] >= 0) return nullptr;
    const bool a_is_scalar = is_scalar(source_of(one.args[0])), b_is_scalar = one.args[1] >= 0 && is_scalar(source_of(one.args[1]));
    if (a_is_scalar && (b_is_scalar || one.args[1] < 0)) return nullptr;
    const EwForm form = a_is_scalar ? EwForm::kScalarLeft : b_is_scalar ? EwForm::kScalarRight : EwForm::kArrays;
    const int other = two.args[1 - k];
    return p.table_->ew_pair_lookup({ew_of(one.op), form, ew_of(two.op), k == 1, other >= 0 && is_scalar(source_of(other))});
  }

  void emit_pair(int number) {
    const int first = first_of[static_cast<std::size_t>(number)];
    const auto &one = spec.code[static_cast<std::size_t>(first)], &two = spec.code[static_cast<std::size_t>(number)];
    const int k = source_of(two.args[0]) == input_count + first ? 0 : 1;
    int args[3] = {source_of(one.args[0]), one.args[1] < 0 ? -1 : source_of(one.args[1]), two.args[1 - k] < 0 ? -1 : source_of(two.args[1 - k])};
    int regs[3];
    for (int i = 0; i < 3; ++i) {
      if (args[i] < 0) args[i] = args[0];
      regs[i] = is_scalar(args[i]) ? reg[static_cast<std::size_t>(args[i])] : block_register(args[i]);
    }
    release(args, 3, number);
    p.calls_.push_back({pair_kernel(first, number, k), result_register(number), static_cast<std::int16_t>(regs[0]),
                        static_cast<std::int16_t>(regs[1]), static_cast<std::int16_t>(regs[2])});
  }

  // Where an instruction's result goes.
  std::int16_t result_register(int number) {
    const int value = input_count + number;
    const int output = output_of[static_cast<std::size_t>(value)];
    int out = -1;
    if (output >= 0 && writes_directly(output, number)) out = output_register(output);
    else out = temporary_register(take_temporary());
    if (output >= 0 && out != output_register(output)) late_copies.emplace_back(output_register(output), value);
    reg[static_cast<std::size_t>(value)] = out;
    return static_cast<std::int16_t>(out);
  }

  // An output may be written as soon as it is computed unless it overwrites an input that is read later.
  bool writes_directly(int output, int instruction) const {
    const int overwritten = spec.in_place[static_cast<std::size_t>(output)];
    return overwritten < 0 || last_use[static_cast<std::size_t>(overwritten)] <= instruction;
  }

  void emit_copy(int out, int value) {
    const DType type = dtype(value);
    p.calls_.push_back({p.table_->ew_cast_lookup(type, type), static_cast<std::int16_t>(out), static_cast<std::int16_t>(block_register(value)), 0, 0});
    p.calls_.back().b = p.calls_.back().c = p.calls_.back().a;
  }

  void emit(int number) {
    const auto& ins = spec.code[static_cast<std::size_t>(number)];
    if (is_copy(ins.op) && output_of[static_cast<std::size_t>(input_count + number)] < 0) return;  // its readers read the source
    int args[3], count = 0;
    for (int arg : ins.args)
      if (arg >= 0) args[count++] = source[static_cast<std::size_t>(arg)];
    EwForm form = EwForm::kArrays;
    if (count == 2 && is_scalar(args[1])) form = EwForm::kScalarRight;
    else if (count == 2 && is_scalar(args[0])) form = EwForm::kScalarLeft;
    int regs[3];
    for (int i = 0; i < count; ++i) {
      const bool stays_scalar = (form == EwForm::kScalarRight && i == 1) || (form == EwForm::kScalarLeft && i == 0);
      regs[i] = stays_scalar ? reg[static_cast<std::size_t>(args[i])] : block_register(args[i]);
    }
    release(args, count, number);
    const bool converts = ins.op == Op::cast || is_copy(ins.op);
    const EwFn fn = converts ? p.table_->ew_cast_lookup(ins.in, ins.out) : p.table_->ew_lookup(ew_of(ins.op), ins.in, form);
    if (!fn) fail(ErrorKind::kRuntime, "No kernel for ", op_def(ins.op).name, " on ", name_of(ins.in), ".");
    p.calls_.push_back({fn, result_register(number), static_cast<std::int16_t>(regs[0]),
                        static_cast<std::int16_t>(regs[count > 1 ? 1 : 0]), static_cast<std::int16_t>(regs[count > 2 ? 2 : 0])});
  }

  // Temporaries read for the last time may hold the result (kernels allow out == operand of the same size).
  void release(const int* args, int count, int number) {
    const DType out = spec.code[static_cast<std::size_t>(number)].out;
    for (int i = 0; i < count; ++i) {
      const int value = args[i];
      const int first = temporary_register(0);
      if (value < input_count || reg[static_cast<std::size_t>(value)] < first) continue;
      if (last_use[static_cast<std::size_t>(value)] != number || output_of[static_cast<std::size_t>(value)] >= 0) continue;
      if (size_of(dtype(value)) != size_of(out)) continue;
      last_use[static_cast<std::size_t>(value)] = -2;  // released once
      free_temporaries.push_back(reg[static_cast<std::size_t>(value)] - first);
    }
  }

  void compile() {
    analyse();
    for (int i = 0; i < static_cast<int>(spec.code.size()); ++i) {
      if (first_of[static_cast<std::size_t>(i)] >= 0) emit_pair(i);
      else if (second_of[static_cast<std::size_t>(i)] < 0) emit(i);
      p.cost_ns_ += nanoseconds_of(spec.code[static_cast<std::size_t>(i)].op);
    }
    for (const auto& [out, value] : late_copies) emit_copy(out, value);
  }
};

BlockProgram::BlockProgram(const ElementwiseSpec& spec, const KernelTable& table, bool rows_are_fixed) : table_(&table) {
  const Collapsed space = collapse(spec, rows_are_fixed);
  cols_ = space.extents.back();
  outer_.assign(space.extents.begin(), space.extents.end() - 1);
  for (std::int64_t extent : outer_) rows_ *= extent;
  is_flat_ = true;
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    const std::vector<std::int64_t>& strides = space.strides[i];
    const std::vector<std::int64_t> outer(strides.begin(), strides.end() - 1);
    // Along a single column nothing is stepped, whatever the strides say.
    const bool is_full = std::equal(strides.begin(), strides.end() - (cols_ == 1), space.strides.back().begin());
    const bool moves = std::any_of(outer.begin(), outer.end(), [](std::int64_t s) { return s != 0; });
    Input input;
    input.size = static_cast<std::int64_t>(size_of(spec.inputs[i].dtype));
    input.strides = outer;
    if (is_full || rows_ * cols_ == 1) input.access = Access::kFull;
    else if (strides.back() == 0 || cols_ == 1) input.access = moves ? Access::kColumn : Access::kScalar;
    else input.access = Access::kRow;
    input.varies = moves;
    is_flat_ = is_flat_ && (input.access == Access::kFull || input.access == Access::kScalar);
    inputs_.push_back(std::move(input));
  }
  for (int output : spec.outputs) output_sizes_.push_back(static_cast<std::int64_t>(size_of(spec.code[static_cast<std::size_t>(output)].out)));
  rows_per_block_ = cols_ < kNarrow ? std::max<std::int64_t>(1, kBlock / std::max<std::int64_t>(1, cols_)) : 1;

  Compiler compiler(*this, spec);
  compiler.compile();
  for (Input& input : inputs_)
    if (input.access == Access::kRow || input.access == Access::kColumn) input.expanded = temporaries_++;
  // A block never has more than kBlock elements, nor more than the space.
  const std::int64_t block = std::min<std::int64_t>(kBlock, std::max<std::int64_t>(1, rows_ * cols_));
  // Not a multiple of 4 KiB: temporaries at one offset in their pages would share the sets of L1, and a load would wait
  // for the store to another that looks like its own (measured: a quarter of an Adam update's time).
  temporary_bytes_ = (block * 8 + 63) / 64 * 64 + 64 * 5;
  scratch_bytes_ = static_cast<std::size_t>(temporaries_ * temporary_bytes_);
  cost_ns_ *= static_cast<double>(rows_ * cols_);
  const std::size_t registers = inputs_.size() + output_sizes_.size() + static_cast<std::size_t>(temporaries_);
  if (registers > kMaxRegisters) fail(ErrorKind::kRuntime, "A fused chain needs ", registers, " registers.");
}

bool BlockProgram::same_code(const BlockProgram& other) const {
  return is_flat_ && other.is_flat_ && calls_ == other.calls_ && inputs_.size() == other.inputs_.size() &&
         output_sizes_ == other.output_sizes_ && temporaries_ == other.temporaries_ &&
         std::equal(inputs_.begin(), inputs_.end(), other.inputs_.begin(), [](const Input& a, const Input& b) {
           return a.access == b.access && a.size == b.size && a.expanded == b.expanded;
         });
}

std::int64_t BlockProgram::tasks() const {
  if (is_flat_) return (rows_ * cols_ + kBlock * kTaskBlocks - 1) / (kBlock * kTaskBlocks);
  const std::int64_t rows_per_task = std::max<std::int64_t>(1, kBlock * kTaskBlocks / std::max<std::int64_t>(1, cols_));
  return cols_ == 0 ? 0 : (rows_ + rows_per_task - 1) / rows_per_task;
}

void BlockProgram::run_task(std::int64_t task, void* const* operands, std::byte* scratch) const {
  if (is_flat_) {
    const std::int64_t begin = task * kBlock * kTaskBlocks;
    run_flat(begin, std::min(begin + kBlock * kTaskBlocks, rows_ * cols_), operands, scratch);
    return;
  }
  const std::int64_t rows_per_task = std::max<std::int64_t>(1, kBlock * kTaskBlocks / cols_);
  const std::int64_t begin = task * rows_per_task;
  run_region(begin, std::min(begin + rows_per_task, rows_), 0, cols_, operands, scratch);
}

void BlockProgram::run_region(std::int64_t row_begin, std::int64_t row_end, std::int64_t col_begin, std::int64_t col_end,
                              void* const* operands, std::byte* scratch) const {
  const bool whole_rows = col_begin == 0 && col_end == cols_;
  if (whole_rows && is_flat_) run_flat(row_begin * cols_, row_end * cols_, operands, scratch);
  else if (whole_rows && rows_per_block_ > 1) run_rows(row_begin, row_end, operands, scratch);
  else run_segments(row_begin, row_end, col_begin, col_end, operands, scratch);
}

std::int64_t BlockProgram::offset(const Input& input, std::int64_t row) const {
  std::int64_t result = 0;
  for (std::size_t i = outer_.size(); i-- > 0;) {
    result += row % outer_[i] * input.strides[i];
    row /= outer_[i];
  }
  return result;
}

// Fixed registers: scalars, temporaries, and scalars repeated over `filled` elements.
void BlockProgram::start(void* const* operands, std::byte* scratch, std::int64_t filled, void** registers) const {
  const int base = static_cast<int>(inputs_.size() + output_sizes_.size());
  for (int i = 0; i < temporaries_; ++i) registers[base + i] = temporary(scratch, i);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    registers[i] = operands[i];
    if (inputs_[i].access == Access::kScalar && inputs_[i].expanded >= 0)
      table_->fill(filled, inputs_[i].size, temporary(scratch, inputs_[i].expanded), operands[i]);
  }
}

inline void BlockProgram::call(std::int64_t n, void* const* registers) const {
  for (const Call& c : calls_) c.fn(n, registers[c.out], registers[c.a], registers[c.b], registers[c.c]);
}

void BlockProgram::run_flat(std::int64_t begin, std::int64_t end, void* const* operands, std::byte* scratch) const {
  void* registers[kMaxRegisters];
  const std::size_t inputs = inputs_.size(), outputs = output_sizes_.size();
  start(operands, scratch, std::min(kBlock, end - begin), registers);
  for (std::int64_t at = begin; at < end; at += kBlock) {
    for (std::size_t i = 0; i < inputs; ++i)
      if (inputs_[i].access == Access::kFull) registers[i] = static_cast<std::byte*>(operands[i]) + at * inputs_[i].size;
    for (std::size_t i = 0; i < outputs; ++i)
      registers[inputs + i] = static_cast<std::byte*>(operands[inputs + i]) + at * output_sizes_[i];
    call(std::min(kBlock, end - at), registers);
  }
}

// Whole rows of an operand, or its columns repeated `cols` times, written one after the other. Rows that differ in the
// last outer axis only are taken together: finding an offset takes divisions.
void BlockProgram::write_out(const Input& input, std::int64_t row, std::int64_t rows, std::int64_t cols,
                             const std::byte* base, std::byte* out) const {
  const std::int64_t extent = outer_.empty() ? 1 : outer_.back(), bytes = cols * input.size;
  const std::int64_t step = outer_.empty() ? 0 : input.strides.back() * input.size;
  for (std::int64_t done = 0; done < rows;) {
    const std::int64_t run = std::min(rows - done, extent - (row + done) % extent);
    const std::byte* from = base + offset(input, row + done) * input.size;
    if (input.access == Access::kColumn)
      for (std::int64_t r = 0; r < run; ++r) table_->fill(cols, input.size, out + r * bytes, from + r * step);
    else if (step == bytes) std::memcpy(out, from, static_cast<std::size_t>(run * bytes));
    else
      for (std::int64_t r = 0; r < run; ++r) copy_row(out + r * bytes, from + r * step, bytes);
    out += run * bytes;
    done += run;
  }
}

// Registers of the moving operands for `rows` rows from `row` on and `cols` columns from `col` on (one row unless
// all columns): rows and columns that repeat are written out into their temporaries.
void BlockProgram::load(std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols, bool first,
                        void* const* operands, void** registers) const {
  const std::size_t inputs = inputs_.size();
  const std::int64_t at = row * cols_ + col;
  for (std::size_t i = 0; i < inputs; ++i) {
    const Input& input = inputs_[i];
    auto* base = static_cast<std::byte*>(operands[i]);
    if (input.access == Access::kScalar) continue;
    if (input.access == Access::kFull) {
      registers[i] = base + at * input.size;
      continue;
    }
    if (input.access == Access::kRow && !input.varies && !first) continue;  // written out by the first block
    if (input.access == Access::kRow && rows == 1) {
      registers[i] = base + (offset(input, row) + col) * input.size;
      continue;
    }
    auto* out = static_cast<std::byte*>(registers[inputs + output_sizes_.size() + static_cast<std::size_t>(input.expanded)]);
    registers[i] = out;
    write_out(input, row, rows, cols, base, out);
  }
  for (std::size_t i = 0; i < output_sizes_.size(); ++i)
    registers[inputs + i] = static_cast<std::byte*>(operands[inputs + i]) + at * output_sizes_[i];
}

void BlockProgram::run_rows(std::int64_t row_begin, std::int64_t row_end, void* const* operands, std::byte* scratch) const {
  void* registers[kMaxRegisters];
  start(operands, scratch, std::min(rows_per_block_, row_end - row_begin) * cols_, registers);
  for (std::int64_t row = row_begin; row < row_end; row += rows_per_block_) {
    const std::int64_t rows = std::min(rows_per_block_, row_end - row);
    load(row, rows, 0, cols_, row == row_begin, operands, registers);
    call(rows * cols_, registers);
  }
}

void BlockProgram::run_segments(std::int64_t row_begin, std::int64_t row_end, std::int64_t col_begin, std::int64_t col_end,
                                void* const* operands, std::byte* scratch) const {
  void* registers[kMaxRegisters];
  start(operands, scratch, std::min(kBlock, col_end - col_begin), registers);
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    for (std::int64_t col = col_begin; col < col_end; col += kBlock) {
      const std::int64_t cols = std::min(kBlock, col_end - col);
      load(row, 1, col, cols, /*first=*/true, operands, registers);
      call(cols, registers);
    }
  }
}

}  // namespace ranvier::cpu
