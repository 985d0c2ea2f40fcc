using JobHost.Worker.Native;

namespace JobHost.Tests.Worker;

/// <summary>Signals to one process and no other.</summary>
public sealed class PidfdTests
{
    private const int Nothing = 0;

    [Fact]
    public void A_signal_through_a_closed_descriptor_reaches_nobody_and_says_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have no such descriptors.");
        var self = Pidfd.Open(Environment.ProcessId);
        Assert.NotNull(self);
        Assert.True(Pidfd.Signal(self, Nothing));

        self.Dispose();

        Assert.False(Pidfd.Signal(self, Nothing));
    }
}
