"""The models, as `nn.Module`s.

One that is linear in its parameters, as all but the last few of these are, is ŷ = Φ(x) θ. `features` gives Φ, which is computed once for a
data set; it is the fast form of `forward`, and a test says that both agree. Theory asks for `features`, never for a
model's name. A model that has none is a `Model` with a `forward`: it is trained by it, and has no theory.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Pull = Callable[[Tensor], Tensor]


class Model(nn.Module):
    """ŷ by `forward`, [N, D] → [N, 1], with θ the parameters in order of definition, flattened to [P]."""

    parameter_names: tuple[str, ...]

    def vjp(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Pull] | None:
        """ŷ at each of K parameter vectors, [K, P] → [K, N], and the vector-Jacobian product there: ∂L/∂ŷ, [K, N] ↦ ∂L/∂θ, [K, P].

        None of a model that leaves its derivatives to autograd. Where there are some they cost half of that, and a test holds them to it.
        """
        return None

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        """The matrix [P, P] that turns coefficients of (x − mean) / deviation into coefficients of x.

        Args:
            mean: What was subtracted from each feature, [D].
            deviation: What each feature was divided by, [D].
        """
        raise NotImplementedError


class LinearInParameters(Model):
    """A model ŷ = Φ(x) θ."""

    def features(self, x: Tensor) -> Tensor:
        """Φ(x) of shape [N, P], for x of shape [N, D]."""
        raise NotImplementedError


class Quadratic(LinearInParameters):
    """ŷ = a t² + b t + c."""

    parameter_names = ("a", "b", "c")

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Parameter(torch.zeros((), dtype=torch.float64)) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:  # [N, 1] → [N, 1]
        return self.a * x**2 + self.b * x + self.c

    def features(self, x: Tensor) -> Tensor:
        t = x[:, 0]
        return torch.stack([t**2, t, torch.ones_like(t)], 1)

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        # a ((t − m) / s)² + b (t − m) / s + c, sorted by powers of t
        m, s = float(mean), float(deviation)
        rows = [[1 / s**2, 0, 0], [-2 * m / s**2, 1 / s, 0], [m**2 / s**2, -m / s, 1]]
        return torch.tensor(rows, dtype=torch.float64)


class Linear(LinearInParameters):
    """ŷ = w₁ x₁ + … + w_D x_D + b."""

    def __init__(self, num_features: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_features, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros((), dtype=torch.float64))
        subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
        self.parameter_names = (*(f"w{str(i + 1).translate(subscripts)}" for i in range(num_features)), "b")

    def forward(self, x: Tensor) -> Tensor:  # [N, D] → [N, 1]
        return (x @ self.weight + self.bias).unsqueeze(1)

    def features(self, x: Tensor) -> Tensor:
        return torch.cat([x, torch.ones_like(x[:, :1])], 1)

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        matrix = torch.diag(torch.cat([1 / deviation, torch.ones(1, dtype=torch.float64)]))
        matrix[-1, :-1] = -mean / deviation
        return matrix


class Polynomial(LinearInParameters):
    """ŷ = w₁ x + w₂ x² + … + w_D x^D + b: linear in the powers of one feature."""

    def __init__(self, degree: int = 2) -> None:
        super().__init__()
        self.degree = degree
        self.weight = nn.Parameter(torch.zeros(degree, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.parameter_names = Linear(degree).parameter_names

    def forward(self, x: Tensor) -> Tensor:  # [N, 1] → [N, 1]
        return (self._powers(x) @ self.weight + self.bias).unsqueeze(1)

    def features(self, x: Tensor) -> Tensor:
        return torch.cat([self._powers(x), torch.ones_like(x)], 1)

    def _powers(self, x: Tensor) -> Tensor:  # [N, 1] → [N, D]
        return torch.cat([x**power for power in range(1, self.degree + 1)], 1)

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        # ((x − m) / s)ᵏ = Σⱼ C(k, j) xʲ (−m)ᵏ⁻ʲ / sᵏ; the power 0 stands last
        m, s = float(mean), float(deviation)
        matrix = torch.zeros(self.degree + 1, self.degree + 1, dtype=torch.float64)
        for power in range(self.degree + 1):
            for j in range(power + 1):
                matrix[j - 1, power - 1] = math.comb(power, j) * (-m) ** (power - j) / s**power
        return matrix


class ThroughOrigin(LinearInParameters):
    """Another model without its last parameter, an intercept: ŷ = 0 where x = 0."""

    def __init__(self, model: LinearInParameters) -> None:
        super().__init__()
        self.parameter_names = model.parameter_names[:-1]
        *_, (name, intercept) = model.named_parameters()
        delattr(model, name)
        model.register_buffer(name, torch.zeros_like(intercept))
        self.model = model

    def forward(self, x: Tensor) -> Tensor:  # [N, D] → [N, 1]
        return self.model(x)

    def features(self, x: Tensor) -> Tensor:
        return self.model.features(x)[:, :-1]

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        if mean.any():
            raise ValueError(f"mean must be 0 for a model without an intercept. Got {mean.tolist()}.")
        return self.model.to_raw(mean, deviation)[:-1, :-1]


class Proportional(LinearInParameters):
    """ŷ = A x."""

    parameter_names = ("A",)

    def __init__(self) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:  # [N, 1] → [N, 1]
        return self.A * x

    def features(self, x: Tensor) -> Tensor:
        return x

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        if mean.any():
            raise ValueError(
                "mean must be 0 for a model without an intercept. Got " + str(mean.tolist()) + "."
            )
        return torch.diag(1 / deviation)


def _of_line(slope: Tensor, x: Tensor) -> Tensor:
    """∂L/∂(w, b) of a term w x + b of each row, by ∂L/∂(w x + b): [K, N] → [K, 2], for x of [N, 1]."""
    return torch.stack([slope @ x[:, 0], slope.sum(1)], 1)


class Wave(Model):
    """ŷ = A sin(ω t + φ), of which A is known: what is looked for is how fast it swings, and when."""

    parameter_names = ("ω", "φ")
    amplitude = 1.8

    def __init__(self) -> None:
        super().__init__()
        self.omega, self.phi = (nn.Parameter(torch.zeros((), dtype=torch.float64)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:  # [N, 1] → [N, 1]
        return self.amplitude * torch.sin(self.omega * x + self.phi)

    def vjp(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Pull]:
        omega, phi = theta.split(1, 1)
        angle = torch.addcmul(phi, omega, x.T)

        def pull(slope: Tensor) -> Tensor:
            return self.amplitude * _of_line(angle.cos().mul_(slope), x)

        return angle.sin().mul_(self.amplitude), pull


class FreeWave(Model):
    """ŷ = a sin(ω t + φ), all three to be found. (−a, φ + π) is the same curve; where a is 0, ω and φ change nothing."""

    parameter_names = ("a", "ω", "φ")

    def __init__(self) -> None:
        super().__init__()
        self.a, self.omega, self.phi = (nn.Parameter(torch.zeros((), dtype=torch.float64)) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:  # [N, 1] → [N, 1]
        return self.a * torch.sin(self.omega * x + self.phi)

    def vjp(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Pull]:
        a, omega, phi = theta.split(1, 1)
        angle = torch.addcmul(phi, omega, x.T)
        sine = angle.sin()

        def pull(slope: Tensor) -> Tensor:
            swing = a * _of_line(angle.cos().mul_(slope), x)
            return torch.cat([(sine * slope).sum(1, keepdim=True), swing], 1)

        return a * sine, pull

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        m, s = float(mean), float(deviation)  # ω (t − m) / s + φ
        return torch.tensor([[1, 0, 0], [0, 1 / s, 0], [0, -m / s, 1]], dtype=torch.float64)


class TwoLayer(Model):
    """ŷ = v₁ tanh(w₁ x + b₁) + … + v_K tanh(w_K x + b_K): a hidden layer of K units, and one that adds them up.

    Units may change places, and a unit all its signs, and ŷ stays: each curve but the simplest has K! 2^K places of θ. Where all
    parameters are 0 the gradient is 0 too: ∂ŷ/∂v_k = tanh(w_k x + b_k) = 0, and the others have v_k = 0 as a factor.

    Source:
        Sussmann, "Uniqueness of the Weights for Minimal Feedforward Nets with a Given Input-Output Map", Neural Networks 5, 1992.
    """

    def __init__(self, units: int = 2) -> None:
        super().__init__()
        self.weight, self.bias, self.out = (
            nn.Parameter(torch.zeros(units, dtype=torch.float64)) for _ in range(3)
        )
        names = Linear(units).parameter_names[:-1]
        self.parameter_names = tuple(name.replace("w", letter) for letter in "wbv" for name in names)

    def forward(self, x: Tensor) -> Tensor:  # [N, 1] → [N, 1]
        # not by a product of matrices, which may add one unit up in another order: units that are alike stay so to the last bit
        return (torch.tanh(x * self.weight + self.bias) * self.out).sum(1, keepdim=True)

    def vjp(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Pull]:
        units = list(zip(*(one.split(1, 1) for one in theta.chunk(3, 1)), strict=True))
        given = [torch.addcmul(b, w, x.T).tanh() for w, b, _ in units]

        def pull(slope: Tensor) -> Tensor:
            passed = [t * slope for t in given]
            # dtanh = 1 − tanh²
            inner = [
                v * _of_line(torch.addcmul(slope, t, some, value=-1), x)
                for t, some, (*_, v) in zip(given, passed, units, strict=True)
            ]
            w, b = zip(*(one.split(1, 1) for one in inner), strict=True)
            return torch.cat([*w, *b, *(some.sum(1, keepdim=True) for some in passed)], 1)

        (t, *others), (v, *more) = given, [v for *_, v in units]
        added = v * t
        for v, t in zip(more, others, strict=True):
            added = added.addcmul_(v, t)
        return added, pull

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        m, s = float(mean), float(deviation)  # w (x − m) / s + b, of each unit
        line = torch.tensor([[1 / s, 0, 0], [-m / s, 1, 0], [0, 0, 1]], dtype=torch.float64)
        return torch.kron(line, torch.eye(len(self.weight), dtype=torch.float64))


class WithIntercept(Model):
    """Another model and an intercept, ŷ = f(x) + c, which is the last parameter: y need not go up and down around 0."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.parameter_names = (*model.parameter_names, "c")
        self.model, self.last = model, nn.ParameterDict({"c": torch.zeros((), dtype=torch.float64)})

    def forward(self, x: Tensor) -> Tensor:  # [N, 1] → [N, 1]
        return self.model(x) + self.last["c"]

    def vjp(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Pull] | None:
        found = self.model.vjp(x, theta[:, :-1])
        if found is None:
            return None
        curve, pull = found
        return curve + theta[:, -1:], lambda slope: torch.cat([pull(slope), slope.sum(1, keepdim=True)], 1)

    def to_raw(self, mean: Tensor, deviation: Tensor) -> Tensor:
        return torch.block_diag(self.model.to_raw(mean, deviation), torch.ones(1, 1, dtype=torch.float64))


MODELS: Mapping[str, Callable[..., Model]] = {  # the number is of features, of powers, or of weights
    "quadratic": Quadratic,
    "quadratic-origin": lambda: ThroughOrigin(Quadratic()),
    "linear": Linear,
    "linear-origin": lambda num_features=2: ThroughOrigin(Linear(num_features)),
    "polynomial": Polynomial,
    "polynomial-origin": lambda degree=2: ThroughOrigin(Polynomial(degree)),
    "proportional": Proportional,
    "wave": Wave,
    "free-wave": FreeWave,
    "two-layer": TwoLayer,
    "sine": lambda weights=3: WithIntercept(FreeWave()),
    "network": lambda weights=6: WithIntercept(TwoLayer(weights // 3)),
}
