namespace JobHost.TestHost.Jobs.Processes;

/// <summary>How a job stays without looking at its token.</summary>
internal static class Stay
{
    internal static void Until(Bound bound, Marker marker)
    {
        while (!bound.IsOver)
        {
            marker.Beat();
            Thread.Sleep(Marker.Interval);
        }
    }
}
