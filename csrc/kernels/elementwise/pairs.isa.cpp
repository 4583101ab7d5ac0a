// Two elementwise operations in one pass: out = second(first(a, b), c). A chain spends more time on moving values
// between registers and L1 than on arithmetic, and a tiny one on calls; a pair halves both. The bits are those of the
// two operations run one after the other. float32 only: other chains run operation by operation.
#include "kernels/table.h"
#include "simd/vec.h"

namespace ranvier::RANVIER_ISA {
namespace {

using std::int64_t;
using V = Vec<float>;

RANVIER_INLINE V sqrt_of(V x) {
#if defined(__AVX512F__)
  return {_mm512_maskz_sqrt_ps(0xffff, x.v)};  // the plain one makes GCC 12 warn of its own header
#elif defined(__AVX2__)
  return {_mm256_sqrt_ps(x.v)};
#elif defined(__SSE2__)
  return {_mm_sqrt_ps(x.v)};
#else
  for (int i = 0; i < V::kLanes; ++i) x.v[i] = __builtin_sqrtf(x.v[i]);
  return x;
#endif
}

#define RANVIER_BINARY(name, ...)                           \
  struct name {                                             \
    static constexpr bool kUnary = false;                   \
    RANVIER_INLINE V apply(V x, V y) { return __VA_ARGS__; } \
  };
#define RANVIER_UNARY(name, ...)                          \
  struct name {                                           \
    static constexpr bool kUnary = true;                  \
    RANVIER_INLINE V apply(V x, V) { return __VA_ARGS__; } \
  };
RANVIER_BINARY(Add, {x.v + y.v})
RANVIER_BINARY(Subtract, {x.v - y.v})
RANVIER_BINARY(Multiply, {x.v * y.v})
RANVIER_BINARY(Divide, {x.v / y.v})
RANVIER_BINARY(SubtractFrom, {y.v - x.v})
RANVIER_BINARY(DivideInto, {y.v / x.v})
// NaN if either is: see binary.isa.cpp.
RANVIER_BINARY(Maximum, {((x.v > y.v) | (x.v != x.v)) ? x.v : y.v})
RANVIER_BINARY(Minimum, {((x.v < y.v) | (x.v != x.v)) ? x.v : y.v})
RANVIER_UNARY(Square, {x.v * x.v})
RANVIER_UNARY(Neg, {-x.v})
RANVIER_UNARY(Sqrt, sqrt_of(x))
RANVIER_UNARY(Rsqrt, {splat(1.0f).v / sqrt_of(x).v})
#undef RANVIER_BINARY
#undef RANVIER_UNARY

// An operand: an array, or one value spread over a vector.
template <bool Scalar>
struct Source {
  const float* data;
  explicit Source(const void* p) : data(static_cast<const float*>(p)) {}
  V at(int64_t i) const { return load(data + i); }
  V at(int64_t i, TailMask<float> tail) const { return load(data + i, tail); }
};
template <>
struct Source<true> {
  V value;
  explicit Source(const void* p) : value(splat(*static_cast<const float*>(p))) {}
  V at(int64_t) const { return value; }
  V at(int64_t, TailMask<float>) const { return value; }
};

template <class First, EwForm Form, class Second, bool ScalarC>
void pair(int64_t n, void* out_, const void* a_, const void* b_, const void* c_) {
  if (n <= 0) return;
  float* out = static_cast<float*>(out_);
  const Source<Form == EwForm::kScalarLeft> a(a_);
  const Source<First::kUnary ? false : Form == EwForm::kScalarRight> b(First::kUnary ? a_ : b_);
  const Source<Second::kUnary || ScalarC> c(Second::kUnary ? a_ : c_);  // a unary one ignores it
  const int64_t whole = n & -static_cast<int64_t>(V::kLanes);
  for (int64_t i = 0; i < whole; i += V::kLanes)
    store(out + i, Second::apply(First::apply(a.at(i), b.at(i)), c.at(i)));
  if (whole == n) return;
  const TailMask<float> tail(static_cast<int>(n - whole));
  store(out + whole, Second::apply(First::apply(a.at(whole, tail), b.at(whole, tail)), c.at(whole, tail)), tail);
}

template <class First, EwForm Form, class Second>
EwFn by_other(const EwPair& p) {
  return p.other_is_scalar ? &pair<First, Form, Second, true> : &pair<First, Form, Second, false>;
}

template <class First, EwForm Form>
EwFn by_second(const EwPair& p) {
  switch (p.second) {
    case Ew::add: return by_other<First, Form, Add>(p);
    case Ew::multiply: return by_other<First, Form, Multiply>(p);
    case Ew::subtract: return p.first_is_right ? by_other<First, Form, SubtractFrom>(p) : by_other<First, Form, Subtract>(p);
    case Ew::divide: return p.first_is_right ? by_other<First, Form, DivideInto>(p) : by_other<First, Form, Divide>(p);
    case Ew::maximum: return p.first_is_right ? nullptr : by_other<First, Form, Maximum>(p);
    case Ew::minimum: return p.first_is_right ? nullptr : by_other<First, Form, Minimum>(p);
    case Ew::square: return &pair<First, Form, Square, false>;
    case Ew::neg: return &pair<First, Form, Neg, false>;
    case Ew::sqrt: return &pair<First, Form, Sqrt, false>;
    case Ew::rsqrt: return &pair<First, Form, Rsqrt, false>;
    default: return nullptr;
  }
}

template <class First>
EwFn by_form(const EwPair& p) {
  switch (p.first_form) {
    case EwForm::kArrays: return by_second<First, EwForm::kArrays>(p);
    case EwForm::kScalarRight: return by_second<First, EwForm::kScalarRight>(p);
    case EwForm::kScalarLeft: return by_second<First, EwForm::kScalarLeft>(p);
  }
  return nullptr;
}

}  // namespace

EwFn ew_pair_lookup(EwPair p) {
  const bool unary = p.first == Ew::square || p.first == Ew::neg || p.first == Ew::sqrt;
  if (unary && p.first_form != EwForm::kArrays) return nullptr;
  switch (p.first) {
    case Ew::add: return by_form<Add>(p);
    case Ew::subtract: return by_form<Subtract>(p);
    case Ew::multiply: return by_form<Multiply>(p);
    case Ew::divide: return by_form<Divide>(p);
    case Ew::square: return by_second<Square, EwForm::kArrays>(p);
    case Ew::neg: return by_second<Neg, EwForm::kArrays>(p);
    case Ew::sqrt: return by_second<Sqrt, EwForm::kArrays>(p);
    default: return nullptr;
  }
}

}  // namespace ranvier::RANVIER_ISA
