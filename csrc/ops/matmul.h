// What the planner and the passes know of a product beyond its node.
#pragma once

#include "graph/op_def.h"

namespace ranvier {

struct MatmulFlags {
  bool transpose_a = false, transpose_b = false;
  MatmulFlags(const Attributes& attributes)
      : transpose_a(attributes.get<bool>("transpose_a")), transpose_b(attributes.get<bool>("transpose_b")) {}
};

// Whether a product of (stacks of) matrices is a single one: there is one pair, or all the first matrices, lying one
// after the other, meet the same second one, and so are its rows.
bool is_one_product(const MatmulFlags& flags, const Shape& a, const Shape& b);

// Whether each product of a [..., m, k] and b [..., k, n] has a vector for its result, and the matrix (or the vector)
// that it multiplies by a vector has its lines along k.
bool multiplies_along_k(const MatmulFlags& flags, const Shape& a, const Shape& b);

// Then it is summed in strips, as increasing k would cost half the speed there. Where transpositions were folded into
// the flags, an attribute "in_order" keeps the order of before.
bool sums_in_strips(const Attributes& attributes, const Shape& a, const Shape& b);

}  // namespace ranvier
