namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Ends by the interrupt, but with an exception of its own around it, as libraries do: still an interrupted run, no failure.
/// </summary>
internal sealed class ThreadWrapsInterruptJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var bound = new Bound(parameters.Seconds);
        try
        {
            while (!bound.IsOver)
            {
                marker.Beat();
                Thread.Sleep(Marker.Interval);
            }
        }
        catch (ThreadInterruptedException interrupt)
        {
            throw new InvalidOperationException("The library could not go on.", interrupt);
        }
        return null;
    }
}
