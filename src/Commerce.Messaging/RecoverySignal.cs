using System.Threading.Channels;

namespace Commerce.Messaging;

/// <summary>Wakes the recovery worker; many signals are one.</summary>
public sealed class RecoverySignal
{
    private readonly Channel<bool> _channel = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Set() => _channel.Writer.TryWrite(true);

    /// <summary>Completes when signalled, consuming the signal.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) => await _channel.Reader.ReadAsync(cancellationToken);
}
