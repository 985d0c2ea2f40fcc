namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>
/// Holds up the end of its process in each way that code can: by a thread that is not in the background, by a handler of the
/// exit that does not return, and by ignoring its token.
/// </summary>
internal sealed class HoldsExitJob : IJob<LifeParameters>
{
    public async Task<object?> RunAsync(
        LifeParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Thread.Sleep(bound.Left);
        new Thread(() => Thread.Sleep(bound.Left)) { IsBackground = false }.Start();
        marker.WriteLine("held");
        while (!bound.IsOver)
        {
            await Task.Delay(Marker.Interval, CancellationToken.None);
        }
        return null;
    }
}
