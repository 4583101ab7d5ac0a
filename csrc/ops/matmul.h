// What the planner and the passes know of a product beyond its node.
#pragma once

#include "base/shape.h"
#include "graph/attributes.h"

namespace ranvier {

// Whether a product of (stacks of) matrices is a single one: there is one pair, or all the first matrices, lying one
// after the other, meet the same second one, and so are its rows.
bool is_one_product(const Attributes& attributes, const Shape& a, const Shape& b);

}  // namespace ranvier
