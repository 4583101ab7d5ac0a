// Control flow: nodes that run graphs of their own. A node has one output, so one of these has none of its own (its type
// is a placeholder); each of its outputs is an `item` node that names it and a number. Autodiff differentiates them
// (passes/control_gradient.cpp), the runtime runs them (runtime/control.cpp).
//
// branch      inputs: index (int32, clamped), operands. `branches`, `body0`, `body1`, ...: functions of the operands.
//             Items: the outputs of the chosen body.
// loop        inputs: invariants, carries, scanned. `body`: a function of (invariants, carries, the scanned values' slices
//             along axis 0) -> (next carries, slices of stacked values). `length` iterations, from the last slice to the
//             first if `reverse`; `invariants` and `carries` count the inputs of each kind.
//             Items: last carries; stacked values; the stacked carries that the iterations began with.
// while_loop  inputs: invariants, carries. While `condition` (a function of both -> bool) holds, and at most `limit`
//             times (negative: no limit), `body` (-> next carries) runs. Items: last carries.
#pragma once

#include <vector>

#include "graph/body.h"
#include "ops/builder.h"

namespace ranvier {

struct LoopParts {
  const Body& body;
  std::int64_t length;
  bool reverse;
  std::size_t invariants, carries, scanned, stacked;  // how many
};
LoopParts loop_parts(const Node& node);
std::vector<BodyPtr> branch_bodies(const Node& node);

// The types of a control node's items.
std::vector<TensorType> item_types(const Node& node);
std::size_t item_index(const Node& item);
NodeId add_item(Graph& graph, NodeId control, std::size_t index);

NodeId add_branch(Graph& graph, std::vector<NodeId> inputs, const std::vector<BodyPtr>& bodies);
NodeId add_loop(Graph& graph, std::vector<NodeId> inputs, BodyPtr body, std::int64_t length, bool reverse, std::size_t invariants,
                std::size_t carries);

}  // namespace ranvier
