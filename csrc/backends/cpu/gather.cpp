// Rows chosen by an index. An index out of range is an error that names it.
#include <cstring>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

struct Params {
  std::int64_t count, row, table_rows;  // row: bytes (take) or elements (scatter_add, one_hot)
  bool index64;
  DType dtype;
  const char* name;
};

std::int64_t index_at(const void* index, bool index64, std::int64_t i) {
  if (index64) return static_cast<const std::int64_t*>(index)[i];
  return static_cast<const std::int32_t*>(index)[i];
}

void check(const Params& p, const void* index, std::int64_t bad) {
  if (bad >= 0)
    fail(ErrorKind::kValue, p.name, ": index ", index_at(index, p.index64, bad), " (at position ", bad, ") is outside [0, ",
         p.table_rows, ").");
}

void run_take(const Step& step) {
  const Params& p = step.as<Params>();
  check(p, step.operands[1],
        kernels().gather_rows(p.count, p.row, p.table_rows, step.operands[0], step.operands[1], p.index64, step.operands[2]));
}

void run_scatter_add(const Step& step) {
  const Params& p = step.as<Params>();
  const KernelTable& k = kernels();
  const std::int64_t bad =
      p.dtype == DType::f32
          ? k.scatter_add_rows_f32(p.count, p.row, p.table_rows, static_cast<const float*>(step.operands[0]), step.operands[1],
                                   p.index64, static_cast<float*>(step.operands[2]))
          : k.scatter_add_rows_f64(p.count, p.row, p.table_rows, static_cast<const double*>(step.operands[0]), step.operands[1],
                                   p.index64, static_cast<double*>(step.operands[2]));
  check(p, step.operands[1], bad);
}

void run_one_hot(const Step& step) {
  const Params& p = step.as<Params>();
  kernels().one_hot(p.count, p.row, step.operands[0], p.index64, p.dtype, step.operands[1]);
}

std::int64_t row_size(const Shape& shape, int from) {
  std::int64_t size = 1;
  for (int i = from; i < shape.rank(); ++i) size *= shape[i];
  return size;
}

}  // namespace

Step plan_take(const OpRequest& request) {
  const TensorType &x = request.inputs[0], &index = request.inputs[1];
  const std::int64_t bytes = row_size(x.shape, 1) * static_cast<std::int64_t>(size_of(x.dtype));
  Step step = make_step(request, run_take, Params{index.shape.size(), bytes, x.shape[0], index.dtype == DType::i64, x.dtype, "take"});
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

Step plan_one_hot(const OpRequest& request) {
  const TensorType& index = request.inputs[0];
  return make_step(request, run_one_hot,
                   Params{index.shape.size(), request.output.shape.back(), request.output.shape.back(),
                          index.dtype == DType::i64, request.output.dtype, "one_hot"});
}

}  // namespace ranvier::cpu
