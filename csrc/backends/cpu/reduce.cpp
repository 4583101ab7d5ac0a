// Reductions. The axes are taken in groups of neighbours, the last group first: each pass reduces the middle axis of
// a contiguous [outer, reduce, inner] array, so that no array is ever transposed for it.
//
// A long middle axis is cut into chunks of a power of two times the kernels' blocks. Those are whole subtrees of the
// fixed tree in which a reduction is taken, so that combining their results pairwise gives the bits of one call.
#include <cstring>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

constexpr std::int64_t kTaskBytes = 256 << 10;  // read by a task, about
constexpr std::int64_t kColumns = 512;          // widths of tasks are multiples of this: what a kernel takes at a time

std::int64_t parts_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

struct Pass {
  std::int64_t outer, reduce, inner;
  std::int64_t chunk = 1, chunks = 1;   // of `reduce`
  std::int64_t width = 1, columns = 1;  // of `inner`: a task's share, and how many shares there are
  std::int64_t rows = 1;                // of `outer`: a task's share where there is one chunk

  Pass(std::int64_t o, std::int64_t r, std::int64_t i, std::int64_t size) : outer(o), reduce(r), inner(i) {
    if (outer * inner == 0) return;
    const std::int64_t line = inner * size;
    chunk = inner == 1 ? 8192 / size : 128;  // a block of kernels/reduce
    while (chunk < reduce && chunk * line < kTaskBytes) chunk *= 2;
    chunks = std::max<std::int64_t>(1, parts_of(reduce, chunk));
    const std::int64_t height = std::max<std::int64_t>(1, std::min(chunk, reduce));
    rows = std::max<std::int64_t>(1, kTaskBytes / (height * line));
    width = height * line <= 4 * kTaskBytes ? inner : parts_of(kTaskBytes, height * size * kColumns) * kColumns;
    columns = parts_of(inner, width);
  }

  std::int64_t tasks() const {
    if (outer * inner == 0) return 0;
    return columns * (chunks > 1 ? outer * chunks : parts_of(outer, rows));
  }
  std::int64_t outputs() const { return outer * inner; }
  std::int64_t partials() const { return chunks > 1 ? outer * chunks * inner : 0; }

  // Runs a task; `partial` ([outer, chunks, inner]) takes the results of chunks, out those of whole reductions.
  void run(ReduceFn fn, std::int64_t task, std::int64_t size, std::int64_t out_size, const std::byte* in, std::byte* out,
           std::byte* partial) const {
    const std::int64_t begin = task % columns * width, end = std::min(begin + width, inner);
    const std::int64_t at = task / columns;
    if (chunks == 1) return fn(reduce, inner, at * rows, std::min((at + 1) * rows, outer), begin, end, in, out);
    const std::int64_t first = at % chunks * chunk;
    fn(std::min(chunk, reduce - first), inner, 0, 1, begin, end, in + (at / chunks * reduce + first) * inner * size,
       partial + at * inner * out_size);
  }
};

struct Params {
  std::vector<Pass> passes;
  ReduceFn fn;
  EwFn combine;  // of two partial results; null for argmax and argmin
  std::int64_t size;
  int threads;
  std::size_t buffer_bytes;  // of each of the two between passes
};

// lines[0] = the pairwise combination of `count` lines. The left half is the largest power of two below `count`.
void combine_lines(EwFn combine, std::byte* lines, std::int64_t count, std::int64_t elements, std::int64_t line_bytes) {
  if (count <= 1) return;
  std::int64_t half = 1;
  while (half * 2 < count) half *= 2;
  std::byte* right = lines + half * line_bytes;
  combine_lines(combine, lines, half, elements, line_bytes);
  combine_lines(combine, right, count - half, elements, line_bytes);
  combine(elements, lines, right, lines, right);
}

void run(const Step& step, Operands operands) {
  const Params& p = step.as<Params>();
  auto* buffers = static_cast<std::byte*>(operands.scratch);
  auto* partial = buffers + 2 * p.buffer_bytes;
  const auto* in = static_cast<const std::byte*>(operands[0]);
  for (std::size_t i = 0; i < p.passes.size(); ++i) {
    const Pass& pass = p.passes[i];
    const bool last = i + 1 == p.passes.size();
    auto* out = last ? static_cast<std::byte*>(operands[1]) : buffers + i % 2 * p.buffer_bytes;
    run_tasks(step, p.threads, pass.tasks(),
              [&](std::int64_t task, int) { pass.run(p.fn, task, p.size, p.size, in, out, partial); });
    const std::int64_t line = pass.inner * p.size;
    for (std::int64_t o = 0; o < pass.outer && pass.chunks > 1; ++o) {
      std::byte* lines = partial + o * pass.chunks * line;
      combine_lines(p.combine, lines, pass.chunks, pass.inner, line);
      std::memcpy(out + o * line, lines, static_cast<std::size_t>(line));
    }
    in = out;
  }
}

std::int64_t load_index(const std::byte* p, std::int64_t size) {
  std::int64_t wide;
  std::int32_t narrow;
  std::memcpy(&wide, p, size == 8 ? 8 : 0);
  std::memcpy(&narrow, p, size == 8 ? 0 : 4);
  return size == 8 ? wide : narrow;
}
void store_index(std::byte* p, std::int64_t size, std::int64_t value) {
  const auto narrow = static_cast<std::int32_t>(value);
  std::memcpy(p, size == 8 ? static_cast<const void*>(&value) : &narrow, static_cast<std::size_t>(size));
}

struct ArgParams {
  Pass pass;
  ReduceFn fn;
  std::int64_t size, index_size;
  int threads;
};

// The chunks' extremes are fetched and compared like elements: the first of equal ones wins, as within a chunk. After
// an interrupt the indices may be anything, so they are kept within bounds.
void combine_indices(const ArgParams& p, const std::byte* in, const std::byte* partial, std::byte* values, std::byte* out) {
  const Pass& pass = p.pass;
  const auto row_of = [&](std::int64_t c, std::int64_t i) {
    const std::int64_t row = c * pass.chunk + load_index(partial + (c * pass.inner + i) * p.index_size, p.index_size);
    return std::clamp<std::int64_t>(row, 0, pass.reduce - 1);
  };
  for (std::int64_t c = 0; c < pass.chunks; ++c)
    for (std::int64_t i = 0; i < pass.inner; ++i)
      std::memcpy(values + (c * pass.inner + i) * p.size, in + (row_of(c, i) * pass.inner + i) * p.size, static_cast<std::size_t>(p.size));
  p.fn(pass.chunks, pass.inner, 0, 1, 0, pass.inner, values, out);
  for (std::int64_t i = 0; i < pass.inner; ++i) {
    std::byte* at = out + i * p.index_size;
    store_index(at, p.index_size, row_of(load_index(at, p.index_size), i));
  }
}

void run_arg(const Step& step, Operands operands) {
  const auto& p = step.as<ArgParams>();
  const Pass& pass = p.pass;
  const auto* in = static_cast<const std::byte*>(operands[0]);
  auto* out = static_cast<std::byte*>(operands[1]);
  auto* partial = static_cast<std::byte*>(operands.scratch);
  run_tasks(step, p.threads, pass.tasks(),
            [&](std::int64_t task, int) { pass.run(p.fn, task, p.size, p.index_size, in, out, partial); });
  if (pass.chunks == 1) return;
  std::byte* values = partial + pass.partials() * p.index_size;
  for (std::int64_t o = 0; o < pass.outer; ++o)
    combine_indices(p, in + o * pass.reduce * pass.inner * p.size, partial + o * pass.chunks * pass.inner * p.index_size, values,
                    out + o * pass.inner * p.index_size);
}

// A pass for each group of neighbouring reduced axes, the last group first.
std::vector<Pass> passes_of(const Shape& shape, const Ints& axes, std::int64_t size) {
  const auto reduced = [&](int axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
  std::int64_t kept = 1, gone = 1;
  for (int i = 0; i < shape.rank(); ++i) (reduced(i) ? gone : kept) *= shape[i];
  if (kept * gone == 0 || gone == 1) return {Pass(kept, gone, 1, size)};
  std::vector<Pass> passes;
  std::int64_t outer = shape.size(), group = 1, inner = 1;  // axes before, in and behind the group
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (!reduced(i) && shape[i] != 1) {
      if (group != 1) passes.emplace_back(outer, group, inner, size);
      group = 1;
      inner *= shape[i];
    }
    outer /= shape[i];
    if (reduced(i)) group *= shape[i];
  }
  if (group != 1) passes.emplace_back(outer, group, inner, size);
  return passes;
}

int threads_of(const OpRequest& request) {
  return threads_for(static_cast<double>(request.inputs[0].shape.size()) * 0.08, request.max_threads);
}

}  // namespace

Step plan_reduce(const OpRequest& request) {
  struct Row {
    Op op;
    ReduceOp reduce;
    Ew combine;
  };
  static constexpr Row kOps[] = {{Op::sum, ReduceOp::kSum, Ew::add},        {Op::prod, ReduceOp::kProd, Ew::multiply},
                                 {Op::max, ReduceOp::kMax, Ew::maximum},    {Op::min, ReduceOp::kMin, Ew::minimum},
                                 {Op::any, ReduceOp::kAny, Ew::logical_or}, {Op::all, ReduceOp::kAll, Ew::logical_and}};
  const Op op = op_of(request.op);
  const Row& row = *std::find_if(std::begin(kOps), std::end(kOps), [&](const Row& r) { return r.op == op; });
  const TensorType& x = request.inputs[0];
  const auto size = static_cast<std::int64_t>(size_of(x.dtype));
  Params p{passes_of(x.shape, request.attributes.get<Ints>("axes"), size), kernels().reduce_lookup(row.reduce, x.dtype),
           kernels().ew_lookup(row.combine, x.dtype, EwForm::kArrays), size, threads_of(request), 0};
  if (!p.fn || !p.combine) fail(ErrorKind::kType, request.op.name, ": dtype ", name_of(x.dtype), " is not offered.");
  std::int64_t between = 0, partials = 0;
  for (std::size_t i = 0; i < p.passes.size(); ++i) {
    if (i + 1 < p.passes.size()) between = std::max(between, p.passes[i].outputs());
    partials = std::max(partials, p.passes[i].partials());
  }
  p.buffer_bytes = static_cast<std::size_t>((between * size + 63) / 64 * 64);
  const std::size_t scratch = 2 * p.buffer_bytes + static_cast<std::size_t>(partials * size);
  Step step = make_step(request, run, std::move(p), 1);
  step.scratch_bytes = scratch;
  return step;
}

Step plan_arg_reduce(const OpRequest& request) {
  const TensorType& x = request.inputs[0];
  const auto size = static_cast<std::int64_t>(size_of(x.dtype)), index = static_cast<std::int64_t>(size_of(request.output.dtype));
  const ReduceFn fn = kernels().arg_reduce_lookup(op_of(request.op) == Op::argmax, x.dtype, request.output.dtype);
  if (!fn) fail(ErrorKind::kType, request.op.name, ": dtype ", name_of(x.dtype), " is not offered.");
  const Pass pass = passes_of(x.shape, {request.attributes.get<std::int64_t>("axis")}, size).front();
  const auto scratch = static_cast<std::size_t>(pass.partials() * index + (pass.chunks > 1 ? pass.chunks * pass.inner * size : 0));
  Step step = make_step(request, run_arg, ArgParams{pass, fn, size, index, threads_of(request)}, 1);
  step.scratch_bytes = scratch;
  return step;
}

}  // namespace ranvier::cpu
