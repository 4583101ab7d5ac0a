// Rows chosen by an index. An index out of range is an error that names it.
#include <cstring>

#include "backends/cpu/plan.h"
#include "kernels/gather/scatter_update.h"

namespace ranvier::cpu {
namespace {

constexpr std::int64_t kTaskBytes = 128 << 10;  // written by a task, about

struct Params {
  std::int64_t count, row, table_rows;  // row: bytes (take) or elements (scatter_add, one_hot)
  bool index64;
  DType dtype;
  const char* name;
  std::int64_t task_rows = 1;  // of take and one_hot
  int threads = 1;

  const void* index_from(const void* index, std::int64_t i) const { return static_cast<const std::byte*>(index) + i * (index64 ? 8 : 4); }
  std::int64_t tasks() const { return (count + task_rows - 1) / task_rows; }
};

void check(const Params& p, const void* index, std::int64_t bad) {
  if (bad < 0) return;
  const void* at = p.index_from(index, bad);
  const std::int64_t value = p.index64 ? *static_cast<const std::int64_t*>(at) : *static_cast<const std::int32_t*>(at);
  fail(ErrorKind::kValue, p.name, ": index ", value, " (at position ", bad, ") is outside [0, ", p.table_rows, ").");
}

// f(begin, rows) on the rows of each task.
template <class F>
void each_rows(const Step& step, const Params& p, F&& f) {
  run_tasks(step, p.threads, p.tasks(), [&](std::int64_t task, int) {
    const std::int64_t begin = task * p.task_rows;
    f(begin, std::min(p.task_rows, p.count - begin));
  });
}

void run_take(const Step& step, Operands operands) {
  const Params& p = step.as<Params>();
  FirstBad bad;
  each_rows(step, p, [&](std::int64_t begin, std::int64_t rows) {
    bad.note(begin, kernels().gather_rows(rows, p.row, p.table_rows, operands[0], p.index_from(operands[1], begin), p.index64,
                                          static_cast<std::byte*>(operands[2]) + begin * p.row));
  });
  check(p, operands[1], bad.get());
}

void run_scatter_add(const Step& step, Operands operands) {
  const Params& p = step.as<Params>();
  const KernelTable& k = kernels();
  const std::int64_t bad =
      p.dtype == DType::f32
          ? k.scatter_add_rows_f32(p.count, p.row, p.table_rows, static_cast<const float*>(operands[0]), operands[1],
                                   p.index64, static_cast<float*>(operands[2]))
          : k.scatter_add_rows_f64(p.count, p.row, p.table_rows, static_cast<const double*>(operands[0]), operands[1],
                                   p.index64, static_cast<double*>(operands[2]));
  check(p, operands[1], bad);
}

struct Update {
  Params rows;
  std::size_t bytes;
  Combine combine;
  static void run(const Step& step, Operands operands) {
    const auto& [p, bytes, combine] = step.as<Update>();
    std::memcpy(operands[3], operands[0], bytes);
    check(p, operands[1],
          scatter_update(combine, p.dtype, p.count, p.row, p.table_rows, operands[1], p.index64, operands[2], operands[3]));
  }
};

void run_one_hot(const Step& step, Operands operands) {
  const Params& p = step.as<Params>();
  const auto row_bytes = p.row * static_cast<std::int64_t>(size_of(p.dtype));
  each_rows(step, p, [&](std::int64_t begin, std::int64_t rows) {
    kernels().one_hot(rows, p.row, p.index_from(operands[0], begin), p.index64, p.dtype,
                      static_cast<std::byte*>(operands[1]) + begin * row_bytes);
  });
}

std::int64_t row_size(const Shape& shape, int from) {
  std::int64_t size = 1;
  for (int i = from; i < shape.rank(); ++i) size *= shape[i];
  return size;
}

// Shares the rows of an output out in tasks.
Params shared_out(Params p, std::int64_t row_bytes, int max_threads) {
  p.task_rows = std::max<std::int64_t>(1, kTaskBytes / std::max<std::int64_t>(1, row_bytes));
  p.threads = threads_for(static_cast<double>(p.count * row_bytes) * 0.1, max_threads);
  return p;
}

}  // namespace

Step plan_take(const OpRequest& request) {
  const TensorType &x = request.inputs[0], &index = request.inputs[1];
  const std::int64_t bytes = row_size(x.shape, 1) * static_cast<std::int64_t>(size_of(x.dtype));
  const Params p{index.shape.size(), bytes, x.shape[0], index.dtype == DType::i64, x.dtype, "take"};
  Step step = make_step(request, run_take, shared_out(p, bytes, request.max_threads));
  auto cost = cost_of(request);  // not the whole table is read, only as many rows as are written
  cost->bytes_read = cost->bytes_written + static_cast<double>(byte_size(index));
  step.cost = std::move(cost);
  return step;
}

Step plan_scatter_add(const OpRequest& request) {
  const TensorType &source = request.inputs[0], &index = request.inputs[1];
  return make_step(request, run_scatter_add,
                   Params{index.shape.size(), row_size(source.shape, index.shape.rank()), request.output.shape[0],
                          index.dtype == DType::i64, source.dtype, "scatter_add"});
}

Step plan_scatter_update(const OpRequest& request) {
  const TensorType &x = request.inputs[0], &index = request.inputs[1];
  const Params rows{index.shape.size(), row_size(x.shape, 1), x.shape[0], index.dtype == DType::i64, x.dtype, "scatter_update"};
  const auto combine = static_cast<Combine>(request.attributes.get<std::int64_t>("mode"));
  return make_step(request, Update::run, Update{rows, static_cast<std::size_t>(byte_size(x)), combine});
}

Step plan_one_hot(const OpRequest& request) {
  const TensorType& index = request.inputs[0];
  const std::int64_t cols = request.output.shape.back();
  const Params p{index.shape.size(), cols, cols, index.dtype == DType::i64, request.output.dtype, "one_hot"};
  return make_step(request, run_one_hot, shared_out(p, cols * static_cast<std::int64_t>(size_of(p.dtype)), request.max_threads));
}

}  // namespace ranvier::cpu
