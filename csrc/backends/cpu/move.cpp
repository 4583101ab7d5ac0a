// Steps that move elements: each is one or more strided copies.
#include <cstring>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

struct Copy {
  std::vector<std::int64_t> shape, source_strides, target_strides;  // strides in bytes
  std::int64_t source_offset = 0, target_offset = 0;                // bytes
};

struct Params {
  std::vector<Copy> copies;  // copy i reads operand i; the last operand is written
  std::int64_t element_size;
  std::int64_t zeroed_bytes = 0;
};

std::vector<std::int64_t> contiguous(const Shape& shape, std::int64_t element_size) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = element_size;
    element_size *= shape[i];
  }
  return strides;
}

void run(const Step& step) {
  const Params& p = step.as<Params>();
  auto* out = static_cast<std::byte*>(step.operands.back());
  if (p.zeroed_bytes) std::memset(out, 0, static_cast<std::size_t>(p.zeroed_bytes));
  for (std::size_t i = 0; i < p.copies.size(); ++i) {
    const Copy& c = p.copies[i];
    kernels().strided_copy(static_cast<int>(c.shape.size()), c.shape.data(), p.element_size,
                           static_cast<const std::byte*>(step.operands[i]) + c.source_offset, c.source_strides.data(),
                           out + c.target_offset, c.target_strides.data());
  }
}

// Moves `strides` to the window's first element and steps; returns the offset.
std::int64_t window(std::vector<std::int64_t>& strides, const Attributes& attributes) {
  const Ints &begin = attributes.get<Ints>("begin"), &stride = attributes.get<Ints>("stride");
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    offset += begin[i] * strides[i];
    strides[i] *= stride[i];
  }
  return offset;
}

void run_copy(const Step& step) {
  const auto bytes = step.as<std::int64_t>();
  if (bytes) std::memmove(step.operands[1], step.operands[0], static_cast<std::size_t>(bytes));
}

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
      copy.source_offset = out.shape.size() ? window(copy.source_strides, request.attributes) : 0;
      copy.shape = out.shape.to_vector();
    } else if (op == Op::unslice) {
      copy.target_offset = in.shape.size() ? window(copy.target_strides, request.attributes) : 0;
      p.zeroed_bytes = byte_size(out);
    } else {  // concatenate
      const int axis = static_cast<int>(request.attributes.get<std::int64_t>("axis"));
      copy.target_offset = along * out_strides[static_cast<std::size_t>(axis)];
      along += in.shape[axis];
    }
    p.copies.push_back(std::move(copy));
  }
  Step step = make_step(request, run, std::move(p));
  if (op == Op::slice) {  // the window is read, not the whole
    auto cost = cost_of(request);
    cost->bytes_read = cost->bytes_written;
    step.cost = std::move(cost);
  }
  return step;
}

Step plan_copy(const OpRequest& request) { return make_step(request, run_copy, byte_size(request.output)); }

}  // namespace ranvier::cpu
