// Pooling: forward, lines of results are shared out; backward, boxes of the image, each of which takes what its windows
// send into it, so that nobody writes where another does.
#include <optional>

#include "backends/cpu/block_program.h"
#include "backends/cpu/plan.h"
#include "ops/window.h"

namespace ranvier::cpu {
namespace {

constexpr std::int64_t kTaskBytes = 128 << 10;     // of the image, for a task, about
constexpr double kNanosecondsEach = 0.15;          // of an element of a window

// The windows' tables, filled up to three axes.
struct Tables {
  std::vector<std::int64_t> ends[3][2];
  std::int64_t in[3], out[3], inner, images;
  double elements = 1;  // of all windows of an image and a channel

  Tables(const char* op, const Shape& x, const Attributes& attributes) : inner(x.back()), images(x[0]) {
    std::vector<WindowAxis> axes = windows_over(op, x, attributes);
    // One axis alone comes second, so that results along it can be shared out; with one channel last, next to memory.
    const std::size_t last = axes.size() == 1 && inner > 1 ? 1 : 2;
    axes.insert(axes.begin(), last + 1 - axes.size(), {1, 1, 1});
    axes.resize(3, {1, 1, 1});
    for (int d = 0; d < 3; ++d) {
      const WindowAxis& axis = axes[static_cast<std::size_t>(d)];
      in[d] = axis.in;
      out[d] = axis.out;
      double covered = 0;
      for (std::int64_t i = 0; i < axis.out; ++i) {
        ends[d][0].push_back(axis.begin(i));
        ends[d][1].push_back(axis.end(i));
        covered += static_cast<double>(axis.end(i) - axis.begin(i));
      }
      elements *= covered;
    }
  }

  ImageWindows windows() const {
    ImageWindows result{};
    for (int d = 0; d < 3; ++d) result.axis[d] = {in[d], out[d], ends[d][0].data(), ends[d][1].data()};
    result.inner = inner;
    return result;
  }
  std::int64_t image_size() const { return in[0] * in[1] * in[2] * inner; }
  std::int64_t result_size() const { return out[0] * out[1] * out[2] * inner; }
  double work() const { return elements * static_cast<double>(images * inner); }
};

template <class T>
struct Forward {
  Tables tables;
  void (*of_one)(ImageWindows, std::int64_t, std::int64_t, const T*, T*);
  void (*of_two)(ImageWindows, std::int64_t, std::int64_t, const T*, const T*, T*);
  std::int64_t lines, task_lines;
  int threads;
  std::optional<BlockProgram> epilogue;  // on the lines that a task has just pooled

  // Operands: one or two images, the result, then the epilogue's other inputs and its outputs.
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Forward>();
    const ImageWindows windows = p.tables.windows();
    const auto *x = static_cast<const T*>(operands[0]), *second = static_cast<const T*>(operands[1]);
    const std::size_t result = p.of_one ? 1 : 2;
    auto* const out = static_cast<T*>(operands[result]);
    run_tasks(step, p.threads, (p.lines + p.task_lines - 1) / p.task_lines, [&](std::int64_t task, int thread) {
      const std::int64_t begin = task * p.task_lines, end = std::min(begin + p.task_lines, p.lines), width = p.tables.out[2];
      if (p.of_one) p.of_one(windows, begin, end, x, out);
      else p.of_two(windows, begin, end, x, second, out);
      if (!p.epilogue) return;
      std::byte* scratch = static_cast<std::byte*>(operands.scratch) + static_cast<std::size_t>(thread) * p.epilogue->scratch_bytes();
      p.epilogue->run_region(begin * width, end * width, 0, p.tables.inner, operands.at + result, scratch);
    });
  }
};

template <class T>
struct Backward {
  Tables tables;
  void (*of_max)(ImageWindows, ImageBox, const T*, const T*, T*);
  void (*of_average)(ImageWindows, ImageBox, const T*, T*);
  int axis;                        // that is cut
  std::vector<std::int64_t> cuts;  // box i is [cuts[i], cuts[i + 1]) along it
  int threads;

  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Backward>();
    const ImageWindows windows = p.tables.windows();
    const auto boxes = static_cast<std::int64_t>(p.cuts.size()) - 1;
    run_tasks(step, p.threads, p.tables.images * boxes, [&](std::int64_t task, int) {
      ImageBox box{{0, 0, 0}, {p.tables.in[0], p.tables.in[1], p.tables.in[2]}};
      box.begin[p.axis] = p.cuts[static_cast<std::size_t>(task % boxes)];
      box.end[p.axis] = p.cuts[static_cast<std::size_t>(task % boxes) + 1];
      const std::int64_t image = task / boxes * p.tables.image_size(), result = task / boxes * p.tables.result_size();
      const auto *first = static_cast<const T*>(operands[0]), *second = static_cast<const T*>(operands[1]);
      if (p.of_max) p.of_max(windows, box, first + image, second + result, static_cast<T*>(operands[2]) + image);
      else p.of_average(windows, box, first + result, static_cast<T*>(operands[1]) + image);
    });
  }
};

// Cuts the first axis that has more than one element before windows, where none of them needs to be looked at twice if
// they do not overlap.
void cut(const Tables& t, std::int64_t element_size, int& axis, std::vector<std::int64_t>& cuts) {
  for (axis = 0; axis < 2 && t.in[axis] == 1;) ++axis;
  const std::int64_t slice = t.image_size() / std::max<std::int64_t>(1, t.in[axis]) * element_size;
  const std::int64_t wanted = std::max<std::int64_t>(1, kTaskBytes / std::max<std::int64_t>(1, slice));
  cuts = {0};
  for (std::size_t i = 1; i < t.ends[axis][0].size(); ++i) {
    const std::int64_t begin = t.ends[axis][0][i], reach = t.ends[axis][1][i - 1] - t.ends[axis][0][i - 1];
    if (begin - cuts.back() >= std::max(wanted, reach)) cuts.push_back(begin);
  }
  cuts.push_back(t.in[axis]);
}

template <class P>
Step step_of(const OpRequest& request, P params, double epilogue_ns = 0) {
  const double work = params.tables.work();
  params.threads = threads_for(work * kNanosecondsEach + epilogue_ns, request.max_threads);
  Step step = make_step(request, P::run, std::move(params));
  auto cost = cost_of(request);
  cost->flops = work;
  step.cost = std::move(cost);
  return step;
}

template <class T>
Step forward(const OpRequest& request, decltype(Forward<T>::of_one) of_one, decltype(Forward<T>::of_two) of_two,
             const ElementwiseSpec* chain) {
  Forward<T> p{Tables(request.op.name, request.inputs[0].shape, request.attributes), of_one, of_two, 0, 1, 1, {}};
  p.lines = p.tables.images * p.tables.out[0] * p.tables.out[1];
  const std::int64_t line = byte_size(request.inputs[0]) / std::max<std::int64_t>(1, p.lines);
  p.task_lines = std::max<std::int64_t>(1, kTaskBytes / std::max<std::int64_t>(1, line));
  if (!chain) return step_of(request, std::move(p));
  p.epilogue.emplace(*chain, kernels(), /*rows_are_fixed=*/true);
  const double epilogue_ns = p.epilogue->cost_ns();
  const std::size_t scratch = p.epilogue->scratch_bytes();
  Step step = step_of(request, std::move(p), epilogue_ns);
  step.scratch_bytes = scratch * static_cast<std::size_t>(step.as<Forward<T>>().threads);
  step.cost = cost_with_epilogue(std::make_shared<Cost>(*step.cost), *chain);
  return step;
}

template <class T>
Step backward(const OpRequest& request, decltype(Backward<T>::of_max) of_max,
              decltype(Backward<T>::of_average) of_average) {
  Backward<T> p{Tables(request.op.name, request.output.shape, request.attributes), of_max, of_average, 0, {}, 1};
  if (request.output.shape.size() == 0) p.tables.images = 0;
  cut(p.tables, sizeof(T), p.axis, p.cuts);
  return step_of(request, std::move(p));
}

template <class T, class Kernels>
Step plan(const OpRequest& request, const Kernels& k, const ElementwiseSpec* epilogue) {
  switch (op_of(request.op)) {
    case Op::max_pool: return forward<T>(request, k.max_pool, nullptr, epilogue);
    case Op::average_pool: return forward<T>(request, k.average_pool, nullptr, epilogue);
    case Op::max_pool_pick: return forward<T>(request, nullptr, k.max_pool_pick, nullptr);
    case Op::max_pool_grad: return backward<T>(request, k.max_pool_grad, nullptr);
    default: return backward<T>(request, nullptr, k.average_pool_grad);
  }
}

// The kernels for one type.
template <class T>
struct Pooling {
  decltype(Forward<T>::of_one) max_pool, average_pool;
  decltype(Forward<T>::of_two) max_pool_pick;
  decltype(Backward<T>::of_max) max_pool_grad;
  decltype(Backward<T>::of_average) average_pool_grad;
};

}  // namespace

Step plan_pool(const OpRequest& request, const ElementwiseSpec* epilogue) {
  const KernelTable& k = kernels();
  if (request.output.dtype == DType::f32)
    return plan<float>(request, Pooling<float>{k.max_pool_f32, k.average_pool_f32, k.max_pool_pick_f32,
                                               k.max_pool_grad_f32, k.average_pool_grad_f32}, epilogue);
  return plan<double>(request, Pooling<double>{k.max_pool_f64, k.average_pool_f64, k.max_pool_pick_f64,
                                               k.max_pool_grad_f64, k.average_pool_grad_f64}, epilogue);
}

}  // namespace ranvier::cpu
