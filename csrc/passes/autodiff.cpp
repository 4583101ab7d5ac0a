#include "passes/autodiff.h"

#include "ops/gradient.h"

namespace ranvier {
namespace {

// wanted[n]: n is one of xs, or depends on one by a path of differentiable floats.
std::vector<bool> dependents(const Graph& graph, const std::vector<NodeId>& xs, NodeId until) {
  std::vector<bool> wanted(static_cast<std::size_t>(until) + 1, false);
  for (NodeId x : xs)
    if (x <= until) wanted[static_cast<std::size_t>(x)] = true;
  for (NodeId id = 0; id <= until; ++id) {
    const Node& node = graph[id];
    if (wanted[static_cast<std::size_t>(id)] || !node.op->grad || !is_float(node.type.dtype)) continue;
    for (NodeId input : node.inputs)
      if (wanted[static_cast<std::size_t>(input)]) wanted[static_cast<std::size_t>(id)] = true;
  }
  return wanted;
}

}  // namespace

std::vector<NodeId> gradients(Graph& graph, NodeId y, const std::vector<NodeId>& xs, NodeId seed) {
  graph.check_id(y);
  for (NodeId x : xs) graph.check_id(x);
  if (!is_float(graph.type(y).dtype))
    fail(ErrorKind::kType, "Only floats have gradients, got a value of dtype ", name_of(graph.type(y).dtype), ".");
  if (seed >= 0 && !(graph.type(seed) == graph.type(y)))
    fail(ErrorKind::kValue, "The starting gradient must be ", name_of(graph.type(y).dtype), graph.type(y).shape.str(),
         " like the value, got ", name_of(graph.type(seed).dtype), graph.type(seed).shape.str(), ".");
  const std::vector<bool> wanted = dependents(graph, xs, y);
  std::vector<NodeId> gradient(static_cast<std::size_t>(y) + 1, -1);

  Builder b(graph);
  if (wanted[static_cast<std::size_t>(y)])
    gradient[static_cast<std::size_t>(y)] =
        seed >= 0 ? seed : b.broadcast_to(b.scalar(b.dtype(y), 1.0), Shape(b.shape(y)));
  for (NodeId id = y; id >= 0; --id) {
    const NodeId g = gradient[static_cast<std::size_t>(id)];
    if (g < 0 || !graph[id].op->grad) continue;
    GradArgs args(graph, id, g, wanted);
    bool any = false;
    for (int i = 0; i < args.inputs(); ++i) any = any || args.wants(i);
    if (!any) continue;
    graph[id].op->grad(args);
    for (int i = 0; i < args.inputs(); ++i) {
      const NodeId part = args.results()[static_cast<std::size_t>(i)];
      if (part < 0 || !args.wants(i)) continue;
      NodeId& total = gradient[static_cast<std::size_t>(args.in(i))];
      total = total < 0 ? part : b.add(total, part);
    }
  }
  std::vector<NodeId> result;
  for (NodeId x : xs) result.push_back(x <= y ? gradient[static_cast<std::size_t>(x)] : -1);
  return result;
}

}  // namespace ranvier
