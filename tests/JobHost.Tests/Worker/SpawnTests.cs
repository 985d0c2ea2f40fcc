using JobHost.Worker.Native;

namespace JobHost.Tests.Worker;

public sealed class SpawnTests
{
    private const int Count = 100;

    /// <summary>
    /// The kernel can be asked to end a child with its parent, but takes the <i>thread</i> that started it for the parent: who
    /// relied on that from a pool would lose children whenever a thread of it retires.
    /// </summary>
    [Fact(Timeout = 60_000)]
    public void A_child_outlives_the_thread_that_started_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This promise is made on Linux only.");
        var children = new int[Count];
        try
        {
            var threads = Enumerable.Range(0, Count).Select(i => new Thread(() => children[i] = Start())).ToList();
            threads.ForEach(thread => thread.Start());
            // Whoever has been waited for is gone for the kernel, too, or is within the looks below.
            threads.ForEach(thread => thread.Join());

            for (var look = 0; look < 20; look++)
            {
                Assert.All(children, pid => Assert.False(ProcFs.Read(pid)!.IsDead));
                Thread.Sleep(10);
            }
        }
        finally
        {
            foreach (var pid in children.Where(pid => pid > 0))
            {
                Children.KillAndReap(pid);
            }
        }
    }

    private static int Start() =>
        Spawn.Start(
            new()
            {
                File = "/bin/sleep",
                Arguments = ["60"],
                Environment = new Dictionary<string, string>(),
                NewSession = true,
            }
        );
}
