// Reductions: the axes are brought to the form [outer, reduce, inner], through a transposed copy where they are not
// neighbours.
#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

struct Form {
  std::int64_t outer = 1, reduce = 1, inner = 1;
  bool needs_copy = false;
  // The transposed copy: kept axes first, then the reduced ones.
  std::vector<std::int64_t> shape, source_strides, copy_strides;
};

Form form_of(const Shape& shape, const Ints& axes, std::int64_t element_size) {
  Form form;
  std::vector<int> kept, gone;
  int state = 0;  // 0 before the reduced axes, 1 in them, 2 behind
  for (int i = 0; i < shape.rank(); ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    (reduced ? gone : kept).push_back(i);
    if (shape[i] == 1) continue;
    if (reduced && state == 2) form.needs_copy = true;
    state = reduced ? 1 : (state == 1 ? 2 : state);
    (reduced ? form.reduce : state == 0 ? form.outer : form.inner) *= shape[i];
  }
  if (shape.size() == 0) form.needs_copy = false;
  if (!form.needs_copy) return form;
  form.outer *= form.inner;
  form.inner = 1;
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()));
  std::int64_t step = element_size;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = step;
    step *= shape[i];
  }
  kept.insert(kept.end(), gone.begin(), gone.end());
  for (int axis : kept) {
    form.shape.push_back(shape[axis]);
    form.source_strides.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  form.copy_strides.resize(form.shape.size());
  step = element_size;
  for (std::size_t i = form.shape.size(); i-- > 0;) {
    form.copy_strides[i] = step;
    step *= form.shape[i];
  }
  return form;
}

struct Params {
  ReduceFn fn;
  Form form;
  int threads;
};

void run(const Step& step) {
  const Params& p = step.as<Params>();
  const Form& f = p.form;
  const void* in = step.operands[0];
  void* out = step.operands[1];
  if (f.needs_copy) {
    kernels().strided_copy(static_cast<int>(f.shape.size()), f.shape.data(), f.copy_strides.back(), in, f.source_strides.data(),
                           step.scratch, f.copy_strides.data());
    in = step.scratch;
  }
  if (p.threads == 1) return p.fn(f.reduce, f.inner, 0, f.outer, 0, f.inner, in, out);
  const bool by_outer = f.outer >= p.threads;
  parallel_for(p.threads, p.threads, [&](std::int64_t task, int) {
    // Inner ranges begin at multiples of 64, so that threads do not share cache lines.
    const std::int64_t lines = (f.inner + 63) / 64;
    const Range r = part_of(by_outer ? f.outer : lines, p.threads, task);
    if (by_outer) p.fn(f.reduce, f.inner, r.begin, r.end, 0, f.inner, in, out);
    else p.fn(f.reduce, f.inner, 0, f.outer, r.begin * 64, std::min(r.end * 64, f.inner), in, out);
  });
}

Step plan(const OpRequest& request, ReduceFn fn, const Ints& axes) {
  const TensorType& x = request.inputs[0];
  if (!fn) fail(ErrorKind::kType, request.op.name, ": dtype ", name_of(x.dtype), " is not offered.");
  Params params{fn, form_of(x.shape, axes, static_cast<std::int64_t>(size_of(x.dtype))), 1};
  const double cost = static_cast<double>(x.shape.size()) * 0.08;
  if (params.form.outer > 1 || params.form.inner >= 128) params.threads = threads_for(cost, request.max_threads);
  const std::size_t scratch = params.form.needs_copy ? static_cast<std::size_t>(byte_size(x)) : 0;
  Step step = make_step(request, run, std::move(params), 1);
  step.scratch_bytes = scratch;
  return step;
}

}  // namespace

Step plan_reduce(const OpRequest& request) {
  static constexpr std::pair<Op, ReduceOp> kOps[] = {{Op::sum, ReduceOp::kSum}, {Op::prod, ReduceOp::kProd}, {Op::max, ReduceOp::kMax},
                                                     {Op::min, ReduceOp::kMin}, {Op::any, ReduceOp::kAny},   {Op::all, ReduceOp::kAll}};
  const Op op = op_of(request.op);
  const auto* row = std::find_if(std::begin(kOps), std::end(kOps), [&](const auto& pair) { return pair.first == op; });
  return plan(request, kernels().reduce_lookup(row->second, request.inputs[0].dtype), request.attributes.get<Ints>("axes"));
}

Step plan_arg_reduce(const OpRequest& request) {
  const bool largest = op_of(request.op) == Op::argmax;
  const ReduceFn fn = kernels().arg_reduce_lookup(largest, request.inputs[0].dtype, request.output.dtype);
  return plan(request, fn, {request.attributes.get<std::int64_t>("axis")});
}

}  // namespace ranvier::cpu
