using System.Diagnostics;
using JobHost.Conformance.Nodes;

namespace JobHost.Conformance.Proof;

/// <summary>Asks a node all the time whether it lives, and keeps how long the slowest answer took.</summary>
internal sealed class HealthProbe : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource stopping = new();
    private readonly Task probing;

    internal HealthProbe(NodeApi api) => probing = ProbeAsync(api);

    internal TimeSpan Slowest { get; private set; }

    internal int Failed { get; private set; }

    internal int Asked { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await probing;
        stopping.Dispose();
    }

    private async Task ProbeAsync(NodeApi api)
    {
        while (!stopping.IsCancellationRequested)
        {
            var since = Stopwatch.GetTimestamp();
            var isLive = await api.IsLiveAsync(stopping.Token);
            if (stopping.IsCancellationRequested)
            {
                return;
            }
            var elapsed = Stopwatch.GetElapsedTime(since);
            Asked++;
            Failed += isLive ? 0 : 1;
            Slowest = elapsed > Slowest ? elapsed : Slowest;
            await Task.Delay(Pause, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
