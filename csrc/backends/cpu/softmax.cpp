// Operations on rows: softmax, log_softmax, their backwards, and the sparse cross-entropy. Rows are independent, so
// threads share them out.
#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

constexpr std::int64_t kTaskElements = 16 << 10;  // of a task, about
constexpr std::int64_t kGroup = 16;               // rows whose logarithms a kernel takes together

struct Rows {
  std::int64_t rows, cols, task_rows;
  int threads;
};

Rows rows_of(const OpRequest& request) {
  const Shape& shape = request.inputs[0].shape;
  const std::int64_t cols = shape.back();
  const std::int64_t rows = cols == 0 ? 0 : shape.size() / cols;
  const double cost = static_cast<double>(rows) * (15.0 + static_cast<double>(cols) * 0.8);
  const std::int64_t groups = kTaskElements / (kGroup * std::max<std::int64_t>(1, cols));
  return {rows, cols, groups > 0 ? groups * kGroup : std::max<std::int64_t>(1, kTaskElements / std::max<std::int64_t>(1, cols)),
          threads_for(cost, request.max_threads)};
}

// f(begin, end) on the rows of each task.
template <class F>
void each_part(const Step& step, const Rows& p, F&& f) {
  run_tasks(step, p.threads, (p.rows + p.task_rows - 1) / p.task_rows, [&](std::int64_t task, int) {
    f(task * p.task_rows, std::min((task + 1) * p.task_rows, p.rows));
  });
}

template <class T>
struct Unary {
  Rows rows;
  void (*fn)(std::int64_t, std::int64_t, const T*, T*);
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Unary>();
    const auto* x = static_cast<const T*>(operands[0]);
    auto* out = static_cast<T*>(operands[1]);
    const std::int64_t cols = p.rows.cols;
    each_part(step, p.rows, [&](std::int64_t begin, std::int64_t end) { p.fn(end - begin, cols, x + begin * cols, out + begin * cols); });
  }
};

template <class T>
struct Backward {
  Rows rows;
  void (*fn)(std::int64_t, std::int64_t, const T*, const T*, T*);
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Backward>();
    const auto *y = static_cast<const T*>(operands[0]), *g = static_cast<const T*>(operands[1]);
    auto* out = static_cast<T*>(operands[2]);
    const std::int64_t cols = p.rows.cols;
    each_part(step, p.rows, [&](std::int64_t begin, std::int64_t end) {
      p.fn(end - begin, cols, y + begin * cols, g + begin * cols, out + begin * cols);
    });
  }
};

const void* label_at(const void* labels, bool label64, std::int64_t row) {
  return static_cast<const std::byte*>(labels) + row * (label64 ? 8 : 4);
}

// The first bad label is named.
template <class T>
struct Sparse {
  Rows rows;
  bool label64;
  std::int64_t (*fn)(std::int64_t, std::int64_t, const T*, const void*, bool, T*);
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Sparse>();
    const void* labels = operands[1];
    const std::int64_t cols = p.rows.cols;
    FirstBad bad;
    each_part(step, p.rows, [&](std::int64_t begin, std::int64_t end) {
      bad.note(begin, p.fn(end - begin, cols, static_cast<const T*>(operands[0]) + begin * cols, label_at(labels, p.label64, begin),
                           p.label64, static_cast<T*>(operands[2]) + begin));
    });
    if (bad.get() < 0) return;
    const void* at = label_at(labels, p.label64, bad.get());
    const std::int64_t label = p.label64 ? *static_cast<const std::int64_t*>(at) : *static_cast<const std::int32_t*>(at);
    fail(ErrorKind::kValue, "sparse_categorical_crossentropy: label ", label, " is outside [0, ", cols, "): there are ", cols, " classes.");
  }
};

template <class T>
struct SparseBackward {
  Rows rows;
  bool label64;
  void (*fn)(std::int64_t, std::int64_t, const T*, const void*, bool, const T*, T*);
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<SparseBackward>();
    const auto *x = static_cast<const T*>(operands[0]), *g = static_cast<const T*>(operands[2]);
    auto* out = static_cast<T*>(operands[3]);
    const std::int64_t cols = p.rows.cols;
    each_part(step, p.rows, [&](std::int64_t begin, std::int64_t end) {
      p.fn(end - begin, cols, x + begin * cols, label_at(operands[1], p.label64, begin), p.label64, g + begin, out + begin * cols);
    });
  }
};

// Operations for each element of the first input: the exponentials and logarithms, and about four around them.
double flops_each(Op op) { return op == Op::softmax_grad ? 4 : kTranscendentalFlops + 4; }

template <class P>
Step step_of(const OpRequest& request, P params) {
  return make_step(request, P::run, params, flops_each(op_of(request.op)));
}

}  // namespace

Step plan_softmax(const OpRequest& request) {
  const KernelTable& k = kernels();
  const Rows rows = rows_of(request);
  const bool f32 = request.output.dtype == DType::f32;
  switch (op_of(request.op)) {
    case Op::softmax:
      return f32 ? step_of(request, Unary<float>{rows, k.softmax_f32}) : step_of(request, Unary<double>{rows, k.softmax_f64});
    case Op::log_softmax:
      return f32 ? step_of(request, Unary<float>{rows, k.log_softmax_f32}) : step_of(request, Unary<double>{rows, k.log_softmax_f64});
    case Op::softmax_grad:
      return f32 ? step_of(request, Backward<float>{rows, k.softmax_grad_f32}) : step_of(request, Backward<double>{rows, k.softmax_grad_f64});
    default:
      return f32 ? step_of(request, Backward<float>{rows, k.log_softmax_grad_f32})
                 : step_of(request, Backward<double>{rows, k.log_softmax_grad_f64});
  }
}

Step plan_sparse_cross_entropy(const OpRequest& request) {
  const KernelTable& k = kernels();
  Rows rows = rows_of(request);
  const bool f32 = request.inputs[0].dtype == DType::f32, label64 = request.inputs[1].dtype == DType::i64;
  if (op_of(request.op) == Op::sparse_softmax_cross_entropy)
    return f32 ? step_of(request, Sparse<float>{rows, label64, k.sparse_xent_f32}) : step_of(request, Sparse<double>{rows, label64, k.sparse_xent_f64});
  return f32 ? step_of(request, SparseBackward<float>{rows, label64, k.sparse_xent_grad_f32})
             : step_of(request, SparseBackward<double>{rows, label64, k.sparse_xent_grad_f64});
}

}  // namespace ranvier::cpu
