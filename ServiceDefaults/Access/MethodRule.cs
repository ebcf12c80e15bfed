using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Commerce.ServiceDefaults;

/// <summary>What a method asks of its caller, as its proto declares it.</summary>
internal sealed class MethodRule
{
    private readonly Scope _scope;
    private readonly string _scopeName;
    private readonly StoreAccess _stores;
    private readonly Caller[] _callers;
    private readonly StoreFields _fields;
    private readonly OrderAccess _orders;

    private MethodRule(MethodDescriptor method, MethodAccess access)
    {
        (_scope, _scopeName, _stores, _callers) = (access.Scope, ScopeSet.NameOf(access.Scope), access.Stores, [.. access.Callers]);
        _fields = StoreFields.Of(method.InputType);
        _orders = access.Orders;
        if (_orders == OrderAccess.Unspecified && Array.IndexOf(_callers, Caller.Shopper) >= 0)
            throw new InvalidOperationException($"{method.FullName} is for shoppers, and does not say how it keeps them to the order that they opened.");
        if (_orders == OrderAccess.Request && !OrderNames.Any(method.InputType))
            throw new InvalidOperationException($"{method.FullName} says that its request names the order, and it has no field for one.");
        if (_stores == StoreAccess.Request && !_fields.Any)
            throw new InvalidOperationException($"{method.FullName} says that its request names the store, and it has no field for one.");
    }

    /// <exception cref="InvalidOperationException">The method does not declare who may call it.</exception>
    public static MethodRule Of(MethodDescriptor method) =>
        method.GetOptions()?.GetExtension(AccessExtensions.Access) is { Callers.Count: > 0 } access
            ? new MethodRule(method, access)
            : throw new InvalidOperationException($"{method.FullName} does not declare who may call it: give it the option commerce.type.v1.access.");

    /// <exception cref="Failure">PERMISSION_DENIED, SCOPE_MISSING, STORE_NOT_ALLOWED.</exception>
    public void Check(Principal principal)
    {
        if (!Allows(principal))
            throw new Failure(ErrorReason.PermissionDenied, $"This is not for callers like {principal}.");
        if (!principal.Scopes.Has(_scope))
        {
            throw new Failure(ErrorReason.ScopeMissing, $"This asks for the scope {_scopeName}, which {principal} has not been given.")
            {
                Metadata = new Dictionary<string, string> { ["scope"] = _scopeName },
            };
        }

        if (principal.Stores is not null && _stores == StoreAccess.Unspecified)
            throw new Failure(ErrorReason.StoreNotAllowed, $"What this tells or changes is of all stores together, and {principal} is limited to some: it is for callers of all stores.");
    }

    /// <summary>Holds the stores that a request names against those of the caller.</summary>
    /// <exception cref="Failure">STORE_NOT_ALLOWED, INVALID_FIELD.</exception>
    public void CheckStores(Principal principal, IMessage request)
    {
        if (principal.Stores is { } stores && _stores != StoreAccess.None)
            _fields.Check(request, stores, required: _stores == StoreAccess.Request);
    }

    /// <summary>Holds the order that a request names against the one that a shopper opened.</summary>
    /// <exception cref="Failure">PERMISSION_DENIED, whether there is such an order or not.</exception>
    public void CheckOrder(Principal principal, IMessage request)
    {
        if (_orders == OrderAccess.Request && principal is { OrderId: { } order, Via: null } && !OrderNames.AreOf(request, order))
            throw new Failure(ErrorReason.PermissionDenied, "This session is for another order: open that one first.");
    }

    // A service that passes a caller on answers for the call.
    private bool Allows(Principal principal)
    {
        var caller = principal.Via is not null ? Caller.Service : principal.Kind switch
        {
            PrincipalKind.Service => Caller.Service,
            PrincipalKind.Staff => Caller.Staff,
            PrincipalKind.Shop => Caller.Shop,
            PrincipalKind.Shopper => Caller.Shopper,
            _ => Caller.Anybody,
        };
        return Array.IndexOf(_callers, caller) >= 0 || Array.IndexOf(_callers, Caller.Anybody) >= 0;
    }
}
