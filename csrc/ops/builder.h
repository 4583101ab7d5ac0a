// Short names for adding nodes: gradient rules are written with these.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "ops/ops.h"

namespace ranvier {

class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}
  Graph& graph() { return graph_; }
  const TensorType& type(NodeId id) const { return graph_.type(id); }
  Shape shape(NodeId id) const { return graph_.type(id).shape; }  // by value: adding nodes moves the graph's own
  DType dtype(NodeId id) const { return graph_.type(id).dtype; }

  NodeId emit(Op op, std::vector<NodeId> inputs, Attributes attributes = {}) {
    return graph_.add(op_def(op), std::move(inputs), std::move(attributes));
  }
  NodeId scalar(DType dtype, double value);

  NodeId neg(NodeId x) { return emit(Op::neg, {x}); }
  NodeId exp(NodeId x) { return emit(Op::exp, {x}); }
  NodeId add(NodeId a, NodeId b) { return emit(Op::add, {a, b}); }
  NodeId sub(NodeId a, NodeId b) { return emit(Op::subtract, {a, b}); }
  NodeId mul(NodeId a, NodeId b) { return emit(Op::multiply, {a, b}); }
  NodeId mul(NodeId a, double b) { return mul(a, scalar(dtype(a), b)); }
  NodeId div(NodeId a, NodeId b) { return emit(Op::divide, {a, b}); }
  NodeId equal(NodeId a, NodeId b) { return emit(Op::equal, {a, b}); }
  NodeId greater(NodeId a, NodeId b) { return emit(Op::greater, {a, b}); }
  NodeId select(NodeId condition, NodeId a, NodeId b) { return emit(Op::select, {condition, a, b}); }
  NodeId cast(NodeId x, DType dtype);

  NodeId matmul(NodeId a, NodeId b, bool transpose_a, bool transpose_b) {
    return emit(Op::matmul, {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
  }
  NodeId reduce(Op op, NodeId x, Ints axes, bool keepdims) {
    return emit(op, {x}, {{"axes", std::move(axes)}, {"keepdims", keepdims}});
  }
  NodeId sum(NodeId x, Ints axes, bool keepdims) { return reduce(Op::sum, x, std::move(axes), keepdims); }
  NodeId reshape(NodeId x, Shape shape);
  NodeId broadcast_to(NodeId x, Shape shape);
  NodeId slice(NodeId x, Ints begin, Ints size, Ints stride) {
    return emit(Op::slice, {x}, {{"begin", std::move(begin)}, {"size", std::move(size)}, {"stride", std::move(stride)}});
  }
  // Sums over the axes along which `shape` was broadcast to become x's shape.
  NodeId unbroadcast(NodeId x, Shape shape);

 private:
  Graph& graph_;
};

}  // namespace ranvier
