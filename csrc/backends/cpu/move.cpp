// Steps that move elements: each is one or more strided copies, cut into tiles that threads share out. Where lines
// become columns, a tile is a square, so that what is read and what is written stay in the caches and page tables.
#include <cstdlib>
#include <cstring>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

constexpr int kMostAxes = 8;
constexpr std::int64_t kTaskBytes = 128 << 10;  // copied by a task, about
constexpr std::int64_t kTileBytes = 512;        // of a line of a tile, where lines become columns

// A strided copy, cut into equal tiles (the last of an axis may be smaller). Each is a task.
struct Copy {
  std::vector<std::int64_t> shape, source_strides, target_strides;  // strides in bytes
  std::int64_t source_offset = 0, target_offset = 0;                // bytes
  std::vector<std::int64_t> tile = {};
  std::int64_t first_task = 0, tasks = 0;

  void cut(std::int64_t element_size) {
    tile.assign(shape.size(), 1);
    std::int64_t elements = 1;
    const auto grow = [&](std::size_t axis, std::int64_t most) {
      elements /= tile[axis];
      tile[axis] = std::clamp<std::int64_t>(std::min(most, kTaskBytes / element_size / elements), tile[axis], shape[axis]);
      elements *= tile[axis];
    };
    std::vector<std::size_t> axes;  // the target's fastest first
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] > 1) axes.push_back(i);
    const auto by = [](const std::vector<std::int64_t>& strides) {
      return [&](std::size_t a, std::size_t b) { return std::abs(strides[a]) < std::abs(strides[b]); };
    };
    std::stable_sort(axes.begin(), axes.end(), by(target_strides));
    const auto source_first = std::min_element(axes.begin(), axes.end(), by(source_strides));
    if (source_first != axes.end() && source_first != axes.begin()) {
      grow(axes.front(), kTileBytes / element_size);
      grow(*source_first, kTileBytes / element_size);
    }
    for (std::size_t axis : axes) grow(axis, shape[axis]);
    tasks = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) tasks *= (shape[i] + tile[i] - 1) / std::max<std::int64_t>(1, tile[i]);
  }

  void run(std::int64_t task, std::int64_t element_size, const std::byte* source, std::byte* target) const {
    std::int64_t part[kMostAxes];
    source += source_offset;
    target += target_offset;
    for (std::size_t i = shape.size(); i-- > 0;) {
      const std::int64_t count = (shape[i] + tile[i] - 1) / tile[i], at = task % count * tile[i];
      task /= count;
      part[i] = std::min(tile[i], shape[i] - at);
      source += at * source_strides[i];
      target += at * target_strides[i];
    }
    kernels().strided_copy(static_cast<int>(shape.size()), part, element_size, source, source_strides.data(), target,
                           target_strides.data());
  }
};

struct Params {
  std::vector<Copy> copies;  // copy i reads operand i; the last operand is written
  std::int64_t element_size;
  std::int64_t zeroed_bytes = 0;
  std::int64_t tasks = 0;
  int threads = 1;
};

std::vector<std::int64_t> contiguous(const Shape& shape, std::int64_t element_size) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = element_size;
    element_size *= shape[i];
  }
  return strides;
}

// Clears or copies memory in pieces.
template <class F>
void each_piece(const Step& step, int threads, std::int64_t bytes, F&& f) {
  run_tasks(step, threads, (bytes + kTaskBytes - 1) / kTaskBytes, [&](std::int64_t task, int) {
    const std::int64_t at = task * kTaskBytes;
    f(at, static_cast<std::size_t>(std::min(kTaskBytes, bytes - at)));
  });
}

void run(const Step& step, Operands operands) {
  const Params& p = step.as<Params>();
  auto* out = static_cast<std::byte*>(operands[p.copies.size()]);
  each_piece(step, p.threads, p.zeroed_bytes, [&](std::int64_t at, std::size_t bytes) { std::memset(out + at, 0, bytes); });
  run_tasks(step, p.threads, p.tasks, [&](std::int64_t task, int) {
    std::size_t i = p.copies.size() - 1;
    while (p.copies[i].first_task > task) --i;
    p.copies[i].run(task - p.copies[i].first_task, p.element_size, static_cast<const std::byte*>(operands[i]), out);
  });
}

// Moves `strides` to the window's first element and steps; returns the offset. `size` is the window's: where it has one
// element, its stride says nothing and may be any number.
std::int64_t window(std::vector<std::int64_t>& strides, const Attributes& attributes, const Shape& size) {
  const Ints &begin = attributes.get<Ints>("begin"), &stride = attributes.get<Ints>("stride");
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    offset += begin[i] * strides[i];
    if (size[static_cast<int>(i)] > 1) strides[i] *= stride[i];
  }
  return offset;
}

struct Whole {
  std::int64_t bytes;
  int threads;
};
void run_copy(const Step& step, Operands operands) {
  const auto& p = step.as<Whole>();
  const auto* from = static_cast<const std::byte*>(operands[0]);
  auto* to = static_cast<std::byte*>(operands[1]);
  each_piece(step, p.threads, p.bytes, [&](std::int64_t at, std::size_t bytes) { std::memmove(to + at, from + at, bytes); });
}

int threads_to_move(std::int64_t bytes, int max_threads) { return threads_for(static_cast<double>(bytes) * 0.05, max_threads); }

}  // namespace

Step plan_move(const OpRequest& request) {
  const TensorType& out = request.output;
  Params p;
  p.element_size = static_cast<std::int64_t>(size_of(out.dtype));
  const Op op = op_of(request.op);
  const auto out_strides = contiguous(out.shape, p.element_size);
  std::int64_t along = 0;
  for (const TensorType& in : request.inputs) {
    Copy copy{in.shape.to_vector(), contiguous(in.shape, p.element_size), out_strides};
    if (op == Op::transpose) {
      const auto strides = copy.source_strides;
      const Ints& axes = request.attributes.get<Ints>("axes");
      for (std::size_t i = 0; i < axes.size(); ++i) copy.source_strides[i] = strides[static_cast<std::size_t>(axes[i])];
      copy.shape = out.shape.to_vector();
    } else if (op == Op::slice) {
      copy.source_offset = out.shape.size() ? window(copy.source_strides, request.attributes, out.shape) : 0;
      copy.shape = out.shape.to_vector();
    } else if (op == Op::unslice) {
      copy.target_offset = in.shape.size() ? window(copy.target_strides, request.attributes, in.shape) : 0;
      p.zeroed_bytes = byte_size(out);
    } else {  // concatenate
      const int axis = static_cast<int>(request.attributes.get<std::int64_t>("axis"));
      copy.target_offset = along * out_strides[static_cast<std::size_t>(axis)];
      along += in.shape[axis];
    }
    copy.cut(p.element_size);
    copy.first_task = p.tasks;
    p.tasks += copy.tasks;
    p.copies.push_back(std::move(copy));
  }
  p.threads = threads_to_move(byte_size(out), request.max_threads);
  Step step = make_step(request, run, std::move(p));
  if (op == Op::slice) {  // the window is read, not the whole
    auto cost = cost_of(request);
    cost->bytes_read = cost->bytes_written;
    step.cost = std::move(cost);
  }
  return step;
}

Step plan_copy(const OpRequest& request) {
  const std::int64_t bytes = byte_size(request.output);
  return make_step(request, run_copy, Whole{bytes, threads_to_move(bytes, request.max_threads)});
}

}  // namespace ranvier::cpu
