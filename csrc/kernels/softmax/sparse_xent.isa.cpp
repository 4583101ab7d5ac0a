// Cross-entropy of logits with integer labels, and its gradient. No probability is rounded before its
// logarithm: loss = log(sum exp(x - max)) + (max - x[label]).
#include "kernels/softmax/rows.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

// labels[i], or -1 when it is outside [0, cols).
inline std::int64_t label_at(const void* labels, bool label64, std::int64_t i, std::int64_t cols) {
  const std::int64_t label =
      label64 ? static_cast<const std::int64_t*>(labels)[i] : static_cast<const std::int32_t*>(labels)[i];
  return label >= 0 && label < cols ? label : -1;
}

template <class T>
std::int64_t sparse_xent(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                         T* loss) {
  const T* limit = x + rows * cols;
  std::int64_t bad = -1;
  // kStrip rows at a time, so that their logarithms are taken together.
  for (std::int64_t begin = 0; begin < rows; begin += kStrip) {
    const std::int64_t count = rows - begin < kStrip ? rows - begin : kStrip;
    T behind[kStrip], sum[kStrip] = {};
    for (std::int64_t r = 0; r < count; ++r) {
      const T* row = x + (begin + r) * cols;
      const std::int64_t label = label_at(labels, label64, begin + r, cols);
      T max;
      row_stats(cols, row, limit, max, sum[r]);
      behind[r] = label >= 0 ? max - row[label] : T(__builtin_nan(""));
      if (label < 0 && bad < 0) bad = begin + r;
    }
    for (int l = 0; l < kStrip; ++l) sum[l] = log_(sum[l]);
    for (std::int64_t r = 0; r < count; ++r) loss[begin + r] = sum[r] + behind[r];
  }
  return bad;
}

template <class T>
void sparse_xent_grad(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                      const T* g, T* out) {
  if (cols <= kStrip) {
    return softmax_short_rows(rows, cols, x, [=](std::int64_t r, Strip<T> p) {
      const std::int64_t label = label_at(labels, label64, r, cols);
      for (int k = 0; k < kStripVecs<T>; ++k) {
        const auto here = lane_index<T>() + SignedOf<T>(k * kNative<T>) == SignedOf<T>(label);
        const NativeVec<T> hot = here ? broadcast<NativeVec<T>>(T(1)) : NativeVec<T>{};
        p.v[k] = label < 0 ? NativeVec<T>{} : g[r] * (p.v[k] - hot);
      }
      store_strip(out + r * cols, cols, p);
    });
  }
  const T* limit = x + rows * cols;
  const T* out_limit = out + rows * cols;
  for (std::int64_t r = 0; r < rows; ++r, x += cols, out += cols) {
    const std::int64_t label = label_at(labels, label64, r, cols);
    const T upstream = g[r];
    if (label < 0) {
      for (std::int64_t c = 0; c < cols; ++c) out[c] = T(0);
    } else {
      const T scale = T(1) / exp_row(cols, x, limit, out);
      const T at_label = upstream * (out[label] * scale - T(1));
      map_row(cols, static_cast<const T*>(out), out_limit, out, [=](const Strip<T>& e) {
        return map(e, [=](NativeVec<T> v) { return upstream * (v * scale); });
      });
      out[label] = at_label;
    }
  }
}

}  // namespace

#define RANVIER_SPARSE_XENT(suffix, T)                                                                    \
  std::int64_t sparse_xent_##suffix(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, \
                                    bool label64, T* loss) {                                              \
    return sparse_xent(rows, cols, x, labels, label64, loss);                                             \
  }                                                                                                       \
  void sparse_xent_grad_##suffix(std::int64_t rows, std::int64_t cols, const T* x, const void* labels,    \
                                 bool label64, const T* g, T* out) {                                      \
    sparse_xent_grad(rows, cols, x, labels, label64, g, out);                                             \
  }
RANVIER_SPARSE_XENT(f32, float)
RANVIER_SPARSE_XENT(f64, double)
#undef RANVIER_SPARSE_XENT

}  // namespace ranvier::RANVIER_ISA
