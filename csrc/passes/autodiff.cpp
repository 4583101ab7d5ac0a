#include "passes/autodiff.h"

#include <algorithm>
#include <map>

#include "ops/control.h"
#include "ops/gradient.h"
#include "passes/control_gradient.h"

namespace ranvier {
namespace {

bool differentiable(const OpDef& op) { return op.grad || op.is(kControl) || op.is(kProjection); }

std::vector<bool> marked(const std::vector<NodeId>& nodes, NodeId until) {
  std::vector<bool> marks(static_cast<std::size_t>(until) + 1, false);
  for (NodeId id : nodes)
    if (id <= until) marks[static_cast<std::size_t>(id)] = true;
  return marks;
}

// wanted[n]: n is one of xs, or depends on one by a path of differentiable floats.
std::vector<bool> dependents(const Graph& graph, const std::vector<NodeId>& xs, const std::vector<bool>& is_end, NodeId until) {
  std::vector<bool> wanted = marked(xs, until);
  for (NodeId id = 0; id <= until; ++id) {
    const Node& node = graph[id];
    if (wanted[static_cast<std::size_t>(id)] || is_end[static_cast<std::size_t>(id)] || !differentiable(*node.op) || !is_float(node.type.dtype)) continue;
    for (NodeId input : node.inputs)
      if (wanted[static_cast<std::size_t>(input)]) wanted[static_cast<std::size_t>(id)] = true;
  }
  return wanted;
}

void check_targets(const Graph& graph, const std::vector<NodeId>& ys, const std::vector<NodeId>& seeds) {
  require(seeds.empty() || seeds.size() == ys.size(), "Expected a starting gradient for each of ", ys.size(), " values, got ",
          seeds.size(), ".");
  for (std::size_t i = 0; i < ys.size(); ++i) {
    graph.check_id(ys[i]);
    const TensorType& type = graph.type(ys[i]);
    if (!is_float(type.dtype))
      fail(ErrorKind::kType, "Only floats have gradients, got a value of dtype ", name_of(type.dtype), ".");
    if (!seeds.empty() && seeds[i] >= 0 && !(graph.type(seeds[i]) == type))
      fail(ErrorKind::kValue, "The starting gradient must be ", name_of(type.dtype), type.shape.str(), " like the value, got ",
           name_of(graph.type(seeds[i]).dtype), graph.type(seeds[i]).shape.str(), ".");
  }
}

}  // namespace

std::vector<NodeId> gradients(Graph& graph, const std::vector<NodeId>& ys, const std::vector<NodeId>& xs,
                              const std::vector<NodeId>& seeds, const std::vector<NodeId>& ends) {
  check_targets(graph, ys, seeds);
  for (NodeId x : xs) graph.check_id(x);
  for (NodeId end : ends) graph.check_id(end);
  const NodeId last = ys.empty() ? -1 : *std::max_element(ys.begin(), ys.end());
  const std::vector<bool> is_end = marked(ends, last);
  const std::vector<bool> wanted = dependents(graph, xs, is_end, last);
  std::vector<NodeId> gradient(static_cast<std::size_t>(last) + 1, -1);

  std::map<NodeId, std::vector<NodeId>> of_items;  // by control node: the gradients of its outputs
  Builder b(graph);
  const auto accumulate = [&](NodeId id, NodeId part) {
    NodeId& total = gradient[static_cast<std::size_t>(id)];
    total = total < 0 ? part : b.add(total, part);
  };
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (!wanted[static_cast<std::size_t>(ys[i])]) continue;
    const bool given = !seeds.empty() && seeds[i] >= 0;
    accumulate(ys[i], given ? seeds[i] : b.broadcast_to(b.scalar(b.dtype(ys[i]), 1.0), Shape(b.shape(ys[i]))));
  }
  for (NodeId id = last; id >= 0; --id) {
    if (const auto it = of_items.find(id); it != of_items.end()) {
      const std::vector<NodeId> parts = control_gradient(graph, id, it->second, wanted);
      const std::vector<NodeId> inputs = graph[id].inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (parts[i] >= 0 && wanted[static_cast<std::size_t>(inputs[i])]) accumulate(inputs[i], parts[i]);
      continue;
    }
    const NodeId g = gradient[static_cast<std::size_t>(id)];
    if (g >= 0 && graph[id].op->is(kProjection)) {
      const NodeId control = graph[id].inputs[0];
      std::vector<NodeId>& gradients = of_items[control];
      gradients.resize(item_types(graph[control]).size(), -1);
      if (wanted[static_cast<std::size_t>(control)]) gradients[item_index(graph[id])] = g;
      else of_items.erase(control);
      continue;
    }
    if (g < 0 || !graph[id].op->grad || is_end[static_cast<std::size_t>(id)]) continue;
    GradArgs args(graph, id, g, wanted);
    bool any = false;
    for (int i = 0; i < args.inputs(); ++i) any = any || args.wants(i);
    if (!any) continue;
    graph[id].op->grad(args);
    for (int i = 0; i < args.inputs(); ++i) {
      const NodeId part = args.results()[static_cast<std::size_t>(i)];
      if (part >= 0 && args.wants(i)) accumulate(args.in(i), part);
    }
  }
  std::vector<NodeId> result;
  for (NodeId x : xs) result.push_back(x <= last ? gradient[static_cast<std::size_t>(x)] : -1);
  return result;
}

}  // namespace ranvier
