#include "backends/cpu/cost.h"

#include <algorithm>

#include "ops/matmul.h"

namespace ranvier::cpu {
namespace {

// In a description: of a chain's operations, and of an operation's operands.
constexpr std::size_t kMostNames = 4;
constexpr std::size_t kMostOperands = 6;

double flops_of(Op op) {
  switch (op_def(op).cost) {
    case CostClass::transcendental: return kTranscendentalFlops;
    case CostClass::power: return 2 * kTranscendentalFlops;  // a logarithm and an exponential
    case CostClass::free: return 0;
    case CostClass::cheap: case CostClass::division: break;
  }
  return 1;
}

std::string sizes(const Shape& shape) {
  std::string text;
  for (std::int64_t dim : shape) text.append(text.empty() ? "" : "x").append(std::to_string(dim));
  return text.empty() ? "scalar" : text;
}

// "add, relu"; a long chain is cut short.
std::string names_of(const ElementwiseSpec& spec) {
  std::string text;
  const std::size_t shown = spec.code.size() > kMostNames + 1 ? kMostNames : spec.code.size();
  for (std::size_t i = 0; i < shown; ++i) text.append(i ? ", " : "").append(op_def(spec.code[i].op).name);
  if (shown < spec.code.size()) text.append(", ... (").append(std::to_string(spec.code.size())).append(" operations)");
  return text;
}

// Adds the work and the operands of a chain; the first `given` inputs come from registers or cache.
void add_chain(Cost& cost, const ElementwiseSpec& spec, std::size_t given) {
  const auto elements = static_cast<double>(spec.shape.size());
  for (const auto& instruction : spec.code) cost.flops += flops_of(instruction.op) * elements;
  for (std::size_t i = given; i < spec.inputs.size(); ++i) cost.bytes_read += static_cast<double>(byte_size(spec.inputs[i]));
  for (int output : spec.outputs)
    cost.bytes_written += elements * static_cast<double>(size_of(spec.code[static_cast<std::size_t>(output)].out));
}

}  // namespace

std::shared_ptr<Cost> cost_of(const OpRequest& request, double flops_each) {
  auto cost = std::make_shared<Cost>();
  cost->what = request.op.name;
  const std::size_t count = request.inputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (count <= kMostOperands || i + 1 < kMostOperands) cost->what.append(i ? ", " : " ").append(sizes(request.inputs[i].shape));
    cost->bytes_read += static_cast<double>(byte_size(request.inputs[i]));
  }
  if (count > kMostOperands) cost->what.append(", ... (").append(std::to_string(count)).append(" operands)");
  if (request.inputs.empty() || !(request.inputs[0].shape == request.output.shape)) cost->what.append(" -> ").append(sizes(request.output.shape));
  cost->bytes_written = static_cast<double>(byte_size(request.output));
  cost->dtype = request.inputs.empty() ? request.output.dtype : request.inputs[0].dtype;
  if (!request.inputs.empty()) cost->flops = flops_each * static_cast<double>(request.inputs[0].shape.size());
  return cost;
}

std::shared_ptr<Cost> cost_of_matmul(const OpRequest& request) {
  std::shared_ptr<Cost> cost = cost_of(request);
  const bool trans_a = request.attributes.get<bool>("transpose_a"), trans_b = request.attributes.get<bool>("transpose_b");
  const Shape &a = request.inputs[0].shape, &c = request.output.shape;
  const std::int64_t n = c[c.rank() - 1], k = a[a.rank() - (trans_a ? 2 : 1)];
  const bool one = is_one_product(request.attributes, a, request.inputs[1].shape);
  const std::int64_t m = one && n > 0 ? c.size() / n : c[c.rank() - 2];
  cost->flops = 2.0 * static_cast<double>(c.size()) * static_cast<double>(k);
  cost->what = request.op.name;
  cost->what.append(trans_a ? " (A^T)" : "").append(trans_b ? " (B^T)" : "").append(" ").append(sizes({m, k, n}));
  if (!one && m * n > 0) cost->what.append(" times ").append(std::to_string(c.size() / (m * n)));
  return cost;
}

std::shared_ptr<Cost> cost_with_epilogue(std::shared_ptr<Cost> cost, const ElementwiseSpec& epilogue) {
  cost->what.append(" + ").append(names_of(epilogue));
  cost->bytes_written = 0;
  add_chain(*cost, epilogue, 1);
  return cost;
}

std::shared_ptr<Cost> cost_of_elementwise(const std::vector<ElementwiseSpec>& segments) {
  auto cost = std::make_shared<Cost>();
  std::int64_t elements = 0;
  for (const ElementwiseSpec& segment : segments) {
    add_chain(*cost, segment, 0);
    elements += segment.shape.size();
  }
  const ElementwiseSpec& first = segments.front();
  cost->what = names_of(first);
  cost->what.append(" ").append(segments.size() == 1 ? sizes(first.shape) : std::to_string(elements));
  if (segments.size() > 1) cost->what.append(" in ").append(std::to_string(segments.size())).append(" arrays");
  cost->dtype = first.code.front().in;
  return cost;
}

}  // namespace ranvier::cpu
