#include "graph/body.h"

#include <utility>

namespace ranvier {
namespace {

std::vector<bool> live_nodes(const Graph& graph, const std::vector<NodeId>& outputs) {
  std::vector<bool> live(static_cast<std::size_t>(graph.size()), false);
  for (NodeId id : outputs) {
    graph.check_id(id);
    live[static_cast<std::size_t>(id)] = true;
  }
  for (NodeId id = graph.size() - 1; id >= 0; --id)
    if (live[static_cast<std::size_t>(id)])
      for (NodeId input : graph[id].inputs) live[static_cast<std::size_t>(input)] = true;
  return live;
}

// Copies the live nodes that `map` (by node of `from`; -1: not there yet) does not have.
std::vector<NodeId> copy_live(const Graph& from, const std::vector<NodeId>& outputs, std::vector<NodeId> map, Graph& into) {
  const std::vector<bool> live = live_nodes(from, outputs);
  for (NodeId id = 0; id < from.size(); ++id) {
    NodeId& target = map[static_cast<std::size_t>(id)];
    if (!live[static_cast<std::size_t>(id)] || target >= 0) continue;
    Node node = from[id];
    if (node.variable || (node.op->is(kLeaf) && !node.data))
      fail(ErrorKind::kRuntime, "A graph inside a node reads ", node.op->name, " ", id, ", which is not one of its inputs.");
    for (NodeId& input : node.inputs) input = map[static_cast<std::size_t>(input)];
    target = into.adopt(std::move(node));
  }
  std::vector<NodeId> result;
  for (NodeId id : outputs) result.push_back(map[static_cast<std::size_t>(id)]);
  return result;
}

}  // namespace

BodyPtr make_body(const Graph& graph, const std::vector<NodeId>& inputs, const std::vector<NodeId>& outputs) {
  auto body = std::make_shared<Body>();
  std::vector<NodeId> map(static_cast<std::size_t>(graph.size()), -1);
  for (NodeId id : inputs) {
    graph.check_id(id);
    map[static_cast<std::size_t>(id)] = body->graph.add_input(*graph[id].op, graph.type(id));
  }
  body->outputs = copy_live(graph, outputs, std::move(map), body->graph);
  return body;
}

std::vector<NodeId> inline_body(Graph& into, const Body& body, const std::vector<NodeId>& inputs) {
  std::vector<NodeId> map(static_cast<std::size_t>(body.graph.size()), -1);
  for (std::size_t i = 0; i < inputs.size(); ++i) map[static_cast<std::size_t>(body.graph.inputs()[i])] = inputs[i];
  return copy_live(body.graph, body.outputs, std::move(map), into);
}

BodyPtr with_inputs(const Body& body, const std::vector<std::size_t>& kept) {
  std::vector<NodeId> inputs;
  for (std::size_t i : kept) inputs.push_back(body.graph.inputs()[i]);
  return make_body(body.graph, inputs, body.outputs);
}

std::vector<bool> needed_inputs(const Body& body) {
  const std::vector<bool> live = live_nodes(body.graph, body.outputs);
  std::vector<bool> result;
  for (NodeId id : body.graph.inputs()) result.push_back(live[static_cast<std::size_t>(id)]);
  return result;
}

}  // namespace ranvier
