using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>
/// An asynchronous job that misbehaves after an await. Its marker gets the line "begin", beats where it computes, and gets
/// "end" when the job returns.
/// </summary>
internal sealed class OwnThreadJob : IJob<OwnThreadParameters>
{
    public async Task<object?> RunAsync(
        OwnThreadParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds, parameters.Release);
        await Task.Delay(1, CancellationToken.None);
        void Begin() => marker.WriteLine("begin");
        if (parameters.Then != Then.Read)
        {
            Begin();
        }
        switch (parameters.Then)
        {
            case Then.Sleep:
                Thread.Sleep(bound.Left);
                break;
            case Then.Compute:
                Compute(marker, bound);
                break;
            case Then.Leave:
                await Task.Delay(1, CancellationToken.None).ConfigureAwait(false);
                Compute(marker, bound);
                break;
            case Then.Delegate:
                await Task.Run(() => Compute(marker, bound), CancellationToken.None);
                break;
            case Then.Suspend:
                var never = new TaskCompletionSource();
                bound.WhenOver(never.SetResult);
                await never.Task;
                break;
            case Then.Read:
                NativeCalls.Read(bound, Begin);
                break;
        }
        marker.WriteLine("end");
        return null;
    }

    private static void Compute(Marker marker, Bound bound)
    {
        while (!bound.IsOver)
        {
            marker.Beat();
            Computing.Briefly();
        }
    }
}

/// <param name="Then">What it does after the first await.</param>
/// <param name="Seconds">When it ends by itself.</param>
/// <param name="Release">The absolute path of a file whose appearance ends it; a sleep goes on.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record OwnThreadParameters(
    Then Then = Then.Sleep,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Release = null,
    string? Marker = null
);

internal enum Then
{
    /// <summary>Blocks the thread that it was resumed on.</summary>
    Sleep,

    /// <summary>Computes there.</summary>
    Compute,

    /// <summary>Leaves it with <c>ConfigureAwait(false)</c> and computes on the pool.</summary>
    Leave,

    /// <summary>Has the pool compute, and awaits that.</summary>
    Delegate,

    /// <summary>Awaits what does not come; no code of it runs anywhere.</summary>
    Suspend,

    /// <summary>Waits in the C library.</summary>
    Read,
}
