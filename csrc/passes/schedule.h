// From a graph to an ordered list of units of work: what is live, what is fused, and in which phase it runs.
//
// Phases: kMain computes; kCommit writes variables, and begins only when everything that can fail or be interrupted
// is done; kReadout computes outputs that no variable needs (a step's logs) and runs only when they are asked for.
//
// Fusion is by level. An edge from an elementwise node to an elementwise node over the same elements costs 0, any
// other edge 1; a node's level is the longest path to it. Nodes of one level, phase and iteration space that are
// linked by edges of cost 0 form a unit. Every edge between two units raises the level, so no cycle can arise, and
// the pass is linear in the edges. A node moves to the level of its consumers when that keeps no more values alive
// (a mask that only the backward pass reads is then computed there, not stored).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "graph/graph.h"

namespace ranvier {

enum class Phase : std::uint8_t { kMain, kCommit, kReadout };

struct Unit {
  NodeId op = -1;                   // a node that is not elementwise, or -1
  std::vector<NodeId> elementwise;  // a fused chain in topological order; the epilogue of `op` if there is one
  Phase phase = Phase::kMain;
  int level = 0;
  int piece = 0;  // a chain that is too long for one unit is cut: pieces of one level depend on earlier pieces
};

struct Schedule {
  std::vector<Unit> units;          // in execution order
  std::vector<int> unit_of;         // by node; -1 for leaves, aliases, stores and dead nodes
};

// `takes_epilogue`: whether the backend can run a chain on the blocks of this contraction.
using TakesEpilogue = std::function<bool(NodeId id)>;
Schedule make_schedule(const Graph& graph, const std::vector<NodeId>& outputs, bool fuse, const TakesEpilogue& takes_epilogue);

// The matrix that a node computes in blocks (graph/op_def.h), if it does.
std::optional<Contraction> contraction_of(const Graph& graph, NodeId id);

// Follows reshapes down to the node that owns the bytes.
NodeId root_of(const Graph& graph, NodeId id);
// The shape without its axes of extent 1: equal for two shapes that are walked alike.
Shape squeezed(const Shape& shape);
// The axis of `shape` from which on its elements make up rows of `columns`, or -1.
int axis_of_columns(const Shape& shape, std::int64_t columns);
// `operand`, which broadcasts to `shape`, where the axes of `shape` from `axis` on are seen as one: they become one here too,
// if all of them are walked alike.
std::optional<Shape> joined_columns(const Shape& operand, const Shape& shape, int axis);

}  // namespace ranvier
