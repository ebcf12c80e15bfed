using System.Runtime.CompilerServices;

namespace Commerce.Testing;

/// <summary>Awaits a condition that another process or thread brings about, with a bound.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan DefaultBound = TimeSpan.FromSeconds(30);

    /// <summary>Returns once <paramref name="condition"/> holds; throws <see cref="TimeoutException"/> after <paramref name="within"/> (30 s).</summary>
    /// <param name="condition">What to wait for.</param>
    /// <param name="within">The bound.</param>
    /// <param name="describe">What was seen instead, asked only on failure.</param>
    /// <param name="expression">The condition as written.</param>
    public static async Task True(
        Func<Task<bool>> condition, TimeSpan? within = null, Func<string>? describe = null,
        [CallerArgumentExpression(nameof(condition))] string? expression = null)
    {
        var bound = within ?? DefaultBound;
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > bound)
                throw new TimeoutException($"Not within {bound.TotalSeconds:0.###} s: {expression}. {describe?.Invoke()}");
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    /// <inheritdoc cref="True(Func{Task{bool}}, TimeSpan?, Func{string}?, string?)"/>
    public static Task True(
        Func<bool> condition, TimeSpan? within = null, Func<string>? describe = null,
        [CallerArgumentExpression(nameof(condition))] string? expression = null) =>
        True(() => Task.FromResult(condition()), within, describe, expression);

    /// <summary>The first value of <paramref name="read"/> that <paramref name="accept"/> accepts; the last one seen is in the failure.</summary>
    public static async Task<T> Value<T>(
        Func<Task<T>> read, Func<T, bool> accept, TimeSpan? within = null,
        [CallerArgumentExpression(nameof(accept))] string? expression = null)
    {
        T last = default!;
        await True(async () => accept(last = await read()), within, () => $"Last seen: {last}", expression);
        return last;
    }
}
