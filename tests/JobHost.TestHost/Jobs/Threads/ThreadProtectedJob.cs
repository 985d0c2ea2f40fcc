using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;

namespace JobHost.TestHost.Jobs.Threads;

/// <summary>
/// Runs where no abort can enter: in a finally block, or in the constructor of a class. Its marker gets the line "begin" there,
/// beats where it computes, and gets "end" when it is through.
/// </summary>
internal sealed class ThreadProtectedJob : IThreadJob<ThreadProtectedParameters>
{
    public object? Run(ThreadProtectedParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        using var marker = new Marker(parameters.Marker);
        var place = new Place(marker, new(parameters.Seconds, parameters.Release));
        switch (parameters.In)
        {
            case Protected.FinallySleep:
                Finally(place.Sleep);
                break;
            case Protected.FinallyBusy:
                Finally(place.Compute);
                break;
            case Protected.FinallySwallowing:
                Finally(place.SleepSwallowing);
                break;
            case Protected.ConstructorSleep:
                Construct(typeof(Sleeps<>), place);
                break;
            case Protected.ConstructorBusy:
                Construct(typeof(Computes<>), place);
                break;
        }
        marker.WriteLine("end");
        return null;
    }

    private static void Finally(Action action)
    {
        try
        {
            // Nothing to do; what matters is what follows.
        }
        finally
        {
            action();
        }
    }

    // A class constructor runs once; each run of the job has a class of its own.
    private static void Construct(Type type, Place place)
    {
        var key = typeof(object);
        for (var number = Interlocked.Increment(ref classes); number > 0; number /= 2)
        {
            key = (number & 1) == 0 ? key.MakeArrayType() : typeof(List<>).MakeGenericType(key);
        }
        Place.Current.Value = place;
        RuntimeHelpers.RunClassConstructor(type.MakeGenericType(key).TypeHandle);
    }

    private static int classes;

    private sealed class Sleeps<T>
    {
        static Sleeps() => Place.Current.Value!.Sleep();
    }

    private sealed class Computes<T>
    {
        static Computes() => Place.Current.Value!.Compute();
    }

    private sealed class Place(Marker marker, Bound bound)
    {
        internal static readonly ThreadLocal<Place?> Current = new();

        internal void Sleep()
        {
            marker.WriteLine("begin");
            Thread.Sleep(bound.Left);
        }

        internal void Compute()
        {
            marker.WriteLine("begin");
            while (!bound.IsOver)
            {
                marker.Beat();
                Computing.Briefly();
            }
        }

        internal void SleepSwallowing()
        {
            marker.WriteLine("begin");
            while (!bound.IsOver)
            {
                try
                {
                    marker.Beat();
                    Thread.Sleep(Marker.Interval);
                }
                catch (Exception)
                {
                    // The misbehaviour.
                }
            }
        }
    }
}

/// <param name="In">Where it runs.</param>
/// <param name="Seconds">When it ends by itself.</param>
/// <param name="Release">The absolute path of a file whose appearance ends it, where it computes or swallows.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record ThreadProtectedParameters(
    Protected In = Protected.FinallySleep,
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Release = null,
    string? Marker = null
);

internal enum Protected
{
    FinallySleep,
    FinallyBusy,
    FinallySwallowing,
    ConstructorSleep,
    ConstructorBusy,
}
